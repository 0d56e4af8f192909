import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport
import Testing

@testable import Replaying

/// Pins how a replay moves: over a real store, to a target that answers by plan, on a clock that is moved by hand.
@Suite(.timeLimit(.minutes(1)))
struct ReplayRunTests {
    @Test func everythingOfTheRangeIsSentOnceAndCounted() async throws {
        let fixture = try await ReplayFixture(events: 50)
        let target = PlannedTarget()
        let end = try await fixture.run(try await fixture.record(from: 11, until: 41), target)
        #expect(target.offsets == Array(11...40))
        #expect(end.state == .done && end.delivered == 30 && end.position == 40 && end.pending == 0)
        #expect(try await fixture.log.replays().first?.position == 40)
    }

    @Test func whatFailsAloneIsSentAgainAlone() async throws {
        let fixture = try await ReplayFixture(events: 4)
        let target = PlannedTarget { offset, attempt in offset == 2 && attempt < 3 ? .again : .accepted }
        let end = try await fixture.run(try await fixture.record(from: 1, until: 5), target)
        #expect(target.offsets == [1, 2, 3, 4, 2, 2])
        #expect(end.delivered == 4 && end.dead == 0 && end.failure == nil)
    }

    @Test func oneThatIsNeverTakenIsGivenUpAndTheRestGoesOn() async throws {
        let fixture = try await ReplayFixture(events: 40)
        let target = PlannedTarget { offset, _ in offset == 2 ? .again : .accepted }
        let end = try await fixture.run(try await fixture.record(from: 1, until: 41), target)
        #expect(target.offsets.count { $0 == 2 } == ReplayRun.rounds)
        #expect(end.state == .done && end.delivered == 39 && end.dead == 1)
    }

    @Test func aTargetThatTakesNothingIsWaitedForAndNothingIsGivenUp() async throws {
        let fixture = try await ReplayFixture(events: 3)
        let target = PlannedTarget { _, attempt in attempt <= 40 ? .again : .accepted }
        let end = try await fixture.run(try await fixture.record(from: 1, until: 4), target)
        #expect(end.state == .done && end.delivered == 3 && end.dead == 0)
    }

    @Test func refusedForGoodIsCountedDead() async throws {
        let fixture = try await ReplayFixture(events: 3)
        let target = PlannedTarget { offset, _ in
            offset == 2 ? .refused(Outcome.Failure(status: 413, reason: "too large")) : .accepted
        }
        let end = try await fixture.run(try await fixture.record(from: 1, until: 4), target)
        #expect(end.delivered == 2 && end.dead == 1)
    }

    @Test func aTargetThatIsGoneEndsIt() async throws {
        let fixture = try await ReplayFixture(events: 3)
        let end = try await fixture.run(
            try await fixture.record(from: 1, until: 4), PlannedTarget(ends: "it is gone"))
        #expect(end.state == .failed && end.failure == "it is gone" && end.position == 0)
    }

    @Test func whatRetentionHasRemovedIsCountedExpired() async throws {
        let fixture = try await ReplayFixture(events: 10)
        fixture.clock.advance(by: .seconds(100))
        _ = try await fixture.log.forget(retention: .seconds(50), dedupRetention: .zero)
        let oldest = try await fixture.reader.summary().oldest
        #expect(oldest == nil)
        let target = PlannedTarget()
        let end = try await fixture.run(try await fixture.record(from: 1, until: 11), target)
        #expect(end.state == .done && end.expired == 10 && target.offsets.isEmpty)
    }

    @Test func itGoesOnFromItsPositionAfterARestart() async throws {
        let fixture = try await ReplayFixture(events: 100)
        let stop = StopSignal()
        let target = PlannedTarget { offset, _ in
            if offset == 40 { stop.stop() }
            return .accepted
        }
        let first = try await fixture.run(try await fixture.record(from: 1, until: 101), target, stop)
        #expect(first.state == .running && first.position >= 40 && first.position < 100)
        let stored = try #require(try await fixture.log.replays().first)
        let second = try await fixture.run(stored, target, StopSignal())
        #expect(second.state == .done && second.delivered == 100)
        #expect(target.offsets == Array(1...100))
    }

    @Test func theRateIsKept() async throws {
        let fixture = try await ReplayFixture(events: 30)
        let target = PlannedTarget()
        let begun = fixture.clock.elapsed
        _ = try await fixture.run(try await fixture.record(from: 1, until: 31, rate: 10), target)
        #expect(fixture.clock.elapsed - begun >= .seconds(3))
    }
}

/// A log with events, and a clock that goes on by itself while a replay runs.
struct ReplayFixture {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let log: EventLog
    let reader: LogReader

    init(events: Int) async throws {
        folder = try TemporaryFolder()
        log = try EventLog(path: folder.file("millrace.db"), timekeeper: clock)
        reader = try LogReader(path: log.path)
        let rows = (1...events).map { number in
            LogRow.event(
                EventDraft(
                    relay: "acme", account: "acme-tanma", kind: .visits, identity: "row-\(number)",
                    time: Timestamp(seconds: 1_790_000_000 + Int64(number)), subject: "unionid/1",
                    data: Array(#"{"content":"\#(number)"}"#.utf8)), raw: Array("raw \(number)".utf8))
        }
        let source = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
        _ = try await log.append(rows, from: source, position: nil)
    }

    func record(from first: Int64, until: Int64, rate: Double? = nil) async throws -> ReplayRecord {
        let record = ReplayRecord(
            id: "rpl_1", target: "sub_1", first: first, until: until,
            types: [NamePattern("*")].compactMap { $0 }, rate: rate, topic: nil, who: "ops",
            created: clock.now)
        try await log.addReplay(record, ChangeNote(who: "ops", what: "replay.created", subject: record.id))
        return record
    }

    func run(
        _ record: ReplayRecord, _ target: PlannedTarget, _ stop: StopSignal = StopSignal()
    ) async throws -> ReplayRecord {
        let run = ReplayRun(
            log: log, reader: reader, target: target, timekeeper: clock, draw: { 0.5 }, stop: stop,
            logger: .silent,
            store: PatientStore(
                replay: record.id, timekeeper: clock, draw: { 0.5 }, stop: stop, logger: .silent)
        ) { _ in }
        let ticking = Task {
            while !Task.isCancelled {
                clock.advance(by: .milliseconds(100))
                await Task.yield()
            }
        }
        let end = await run.carry(record)
        ticking.cancel()
        await ticking.value
        return end
    }
}

/// A target that answers each event's n-th attempt by plan and writes down what it got.
final class PlannedTarget: ReplayTarget {
    typealias Plan = @Sendable (_ offset: Int64, _ attempt: Int) -> Outcome

    let batchLimit = 20
    private let plan: Plan
    private let ends: String?
    private let state = Mutex<(offsets: [Int64], attempts: [Int64: Int])>(([], [:]))

    init(ends: String? = nil, _ plan: @escaping Plan = { _, _ in .accepted }) {
        (self.plan, self.ends) = (plan, ends)
    }

    var offsets: [Int64] { state.withLock { $0.offsets } }

    func open() async -> Bool { true }
    func close() async {}

    func deliver(_ events: [StoredEvent]) async -> ReplayAnswer {
        if let ends { return .ended(ends) }
        let attempts = state.withLock { state in
            events.map { event in
                state.offsets.append(event.offset)
                state.attempts[event.offset, default: 0] += 1
                return (event.offset, state.attempts[event.offset] ?? 0)
            }
        }
        return .settled(attempts.map { plan($0.0, $0.1) })
    }
}

extension Outcome {
    static let again = Outcome.retry(Outcome.Failure(status: 500, reason: "HTTP status 500"))
}
