import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport
import Testing

@testable import Publishing

/// L4 and the order of a key, when several batches are under way and one of them fails.
/// Real: the log on disk, the pump. Observed: what the sink accepted, in its order.
@Suite(.timeLimit(.minutes(1))) struct BatchOrderTests {
    private func pump(_ fixture: PumpFixture, _ sink: any BatchSink) -> BatchPump {
        BatchPump(
            "kafka", sink: sink, log: fixture.log, from: .beginning, selection: PumpFixture.selection(),
            timekeeper: fixture.clock, draw: { 0.5 }, logger: .silent)
    }

    @Test func severalBatchesAreUnderWayAtATimeAndAreBounded() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...50_000)
        let sink = CountingSink()
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 50_000 }
        }
        #expect(sink.mostUnderWay == BatchPump.maxBatchesUnderWay)
        #expect(sink.accepted == Array(1...50_000).map(Int64.init))
    }

    /// Every third event has the same key: behind the one that failed, others of it were acknowledged already.
    @Test func lastAcknowledgedRecordOfAKeyIsItsLastRevision() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10_000)
        let sink = CountingSink { offset, attempt in offset == 3000 && attempt == 1 }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 10_000 }
        }
        let accepted = sink.accepted
        #expect(Set(accepted) == Set((1...10_000).map(Int64.init)))
        let again = try #require(accepted.firstIndex(of: 3000))
        #expect(Array(accepted[again...].prefix(100)) == stride(from: 3000, to: 3300, by: 3).map(Int64.init))
        #expect(!accepted[again...].contains(3001))
        // Counted once, however often it was sent.
        #expect(try await fixture.record("kafka")?.delivered == 10_000)
    }

    /// What got through behind it comes once more after it, not on every attempt: 3 is of the key of 6.
    @Test func whatFollowsAFailureUnderItsKeyIsHeldBackUntilItIsSettled() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...12)
        let sink = CountingSink { offset, attempt in offset == 3 && attempt < 20 }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 12 }
        }
        #expect(sink.accepted == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 3, 6, 9, 12])
    }

    /// One key in trouble holds nobody else up: everything else of a long log gets through meanwhile, each once.
    @Test func otherKeysGoOnWhileOneIsHeld() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...30_000)
        let isMended = Atomic(false)
        let sink = CountingSink { offset, _ in offset == 3 && !isMended.load(ordering: .relaxed) }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.settled.last?.upperBound == 29_999 }
            isMended.store(true, ordering: .relaxed)
            try await fixture.until("kafka") { $0.progress.position == 30_000 }
        }
        let accepted = sink.accepted
        let others = accepted.filter { $0 % 3 != 0 }
        #expect(others == Array(1...30_000).filter { $0 % 3 != 0 })
        let last = accepted.lastIndex(of: 3).map { accepted[$0...].filter { $0 % 3 == 0 } }
        #expect(last == Array(1...30_000).filter { $0 % 3 == 0 })
        #expect(accepted.count < 30_000 + 16_000)
    }

    /// A stop while a key is caught up with: what was left out does not come after what stands behind it.
    @Test func stopAmidACatchUpKeepsTheOrderOfTheKey() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...40_000)
        let sink = CountingSink { offset, attempt in offset == 3 && attempt == 1 }
        let pump = pump(fixture, sink)
        let isAsked = StopSignal()
        sink.whenLanding { events, attempt in
            guard events.first?.offset == 3, attempt == 2 else { return }
            await pump.stop()
            isAsked.stop()
        }
        try await fixture.running(pump) { await isAsked.wait() }
        let accepted = sink.accepted
        let third = try #require(accepted.firstIndex(of: 3))
        let ofItsKey = accepted[third...].filter { $0 % 3 == 0 }
        #expect(ofItsKey == (1...ofItsKey.count).map { Int64($0 * 3) })
    }

    /// A log that never ends must not keep what was left out from coming: after the batches under way it is its turn.
    @Test func whatWasLeftOutComesBeforeTheRestOfALongLog() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...50_000)
        let sink = CountingSink { offset, attempt in offset == 3 && attempt == 1 }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 50_000 }
        }
        let accepted = sink.accepted
        let third = try #require(accepted.firstIndex(of: 3))
        let sixth = try #require(accepted[third...].firstIndex(of: 6))
        let late = try #require(accepted.firstIndex(of: 40_000))
        #expect(sixth < late)
    }

    /// As visits are: hardly two events of a key. What is refused is found by halves, and the batches are long again after it.
    @Test func manyKeysAreNotSentOneByOneBehindARefusedEvent() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...9000, keys: 9000)
        let sink = CountingSink { offset, _ in offset == 5000 }
        sink.refusesWholeBatches()
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 9000 }
        }
        #expect(try await fixture.record("kafka")?.dead == 1)
        #expect(sink.batches < 60)
    }

    /// What was acknowledged behind a failure of its key is no settled one: a crash now repeats it in order.
    @Test func whatFollowsAFailureUnderItsKeyStaysOpenInTheStore() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...46)
        let sink = CountingSink { offset, _ in offset == 40 }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { !$0.progress.settled.isEmpty }
        }
        let progress = try await fixture.record("kafka")?.progress
        #expect(progress?.position == 39 && progress?.settled == [41...42, 44...45])
    }

    /// A broker refuses all that stands in one request with what it refuses.
    @Test func onlyWhatIsRefusedAloneIsGivenUp() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...9000)
        let sink = CountingSink { offset, _ in [1, 5000, 5001, 9000].contains(offset) }
        sink.refusesWholeBatches()
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until("kafka") { $0.progress.position == 9000 }
        }
        let record = try #require(try await fixture.record("kafka"))
        #expect(record.dead == 4 && record.delivered == 8996)
        #expect(Set(sink.accepted) == Set((1...9000).map(Int64.init)).subtracting([1, 5000, 5001, 9000]))
        // Looked for by halves, each of them: not by trying the long batch again after every short one.
        #expect(sink.offered < 4 * 9000)
    }

    @Test func latencyIsFromStoredToAcknowledged() async throws {
        let fixture = try PumpFixture()
        let registry = MetricsRegistry()
        let seconds = registry.histogram("seconds", "How long.", labels: ["sink"], buckets: [1, 60])
        try await fixture.append(1...10)
        fixture.clock.advance(by: .seconds(30))
        let pump = BatchPump(
            "kafka", sink: CountingSink(), log: fixture.log, from: .beginning,
            selection: PumpFixture.selection(), timekeeper: fixture.clock, draw: { 0.5 }, logger: .silent,
            latency: seconds)
        try await fixture.running(pump, step: .zero) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(registry.text.contains("seconds_bucket{sink=\"kafka\",le=\"1\"} 0\n"))
        #expect(registry.text.contains("seconds_bucket{sink=\"kafka\",le=\"60\"} 10\n"))
        #expect(registry.text.contains("seconds_sum{sink=\"kafka\"} 300\n"))
    }

    @Test func whatIsFilteredIsPassedWithoutABatch() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...9000)
        let sink = CountingSink()
        let pump = BatchPump(
            "kafka", sink: sink, log: fixture.log, from: .beginning,
            selection: PumpFixture.selection("relation.*"), timekeeper: fixture.clock, draw: { 0.5 },
            logger: .silent)
        try await fixture.running(pump) {
            try await fixture.until("kafka") { $0.progress.position == 9000 }
        }
        #expect(sink.accepted.isEmpty)
        #expect(try await fixture.record("kafka")?.filtered == 9000)
    }
}

/// A sink that takes what it is given at once and tells of it when it is asked.
private final class CountingSink: BatchSink {
    private struct State {
        var accepted: [Int64] = []
        var attempts: [Int64: Int] = [:]
        var underWay = 0
        var mostUnderWay = 0
        var refusesBatches = false
        var batches = 0
        var landing: (@Sendable ([StoredEvent], Int) async -> Void)?
    }

    private let state = Mutex(State())
    private let fails: @Sendable (Int64, Int) -> Bool

    /// - Parameter fails: whether an offset's n-th attempt fails, from 1.
    init(fails: @escaping @Sendable (Int64, Int) -> Bool = { _, _ in false }) {
        self.fails = fails
    }

    var accepted: [Int64] { state.withLock { $0.accepted } }
    var offered: Int { state.withLock { $0.attempts.values.reduce(0, +) } }
    var batches: Int { state.withLock { $0.batches } }
    var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

    /// From now on what fails is refused for good, and its whole batch with it.
    func refusesWholeBatches() {
        state.withLock { $0.refusesBatches = true }
    }

    /// Called before a batch is told of, with how often its first event was tried by then.
    func whenLanding(_ body: @escaping @Sendable ([StoredEvent], Int) async -> Void) {
        state.withLock { $0.landing = body }
    }

    func open() async -> Bool { true }
    func close() async {}

    func begin(_ events: [StoredEvent]) -> any BatchDelivery {
        let outcomes = state.withLock { state in
            state.underWay += 1
            state.batches += 1
            state.mostUnderWay = max(state.mostUnderWay, state.underWay)
            let failed = events.map { event in
                state.attempts[event.offset, default: 0] += 1
                return fails(event.offset, state.attempts[event.offset] ?? 0)
            }
            let refusal = Outcome.refused(Outcome.Failure(reason: "too large"))
            let isRefused = state.refusesBatches && failed.contains(true)
            let outcomes = failed.map { $0 ? Outcome.failed : .accepted }.map { isRefused ? refusal : $0 }
            for (event, outcome) in zip(events, outcomes) where outcome == .accepted {
                state.accepted.append(event.offset)
            }
            return outcomes
        }
        return Landing(sink: self, events: events, settled: SettledBatch(outcomes))
    }

    private struct Landing: BatchDelivery {
        let sink: CountingSink
        let events: [StoredEvent]
        let settled: SettledBatch

        func failures() async -> [Int: Outcome] {
            let (landing, attempt) = sink.state.withLock { state in
                state.underWay -= 1
                return (state.landing, events.first.flatMap { state.attempts[$0.offset] } ?? 0)
            }
            await landing?(events, attempt)
            return await settled.failures()
        }
    }
}
