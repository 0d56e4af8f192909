import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport

@testable import Publishing

/// A log on a real file with rows in it, and a clock that tests move.
struct PumpFixture {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let log: EventLog
    private let source = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")

    /// - Parameter folder: one with a store that was closed, to go on with it.
    init(in folder: TemporaryFolder? = nil) throws {
        self.folder = try folder ?? TemporaryFolder()
        log = try EventLog(path: self.folder.file("millrace.db"), timekeeper: clock)
    }

    func append(_ numbers: ClosedRange<Int>, keys: Int = 3) async throws {
        let rows = numbers.map { number in
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .visits, identity: "\(number)",
                time: Timestamp(seconds: Int64(number)), subject: "unionid/\(number % keys)",
                data: Array("{}".utf8))
            return LogRow.event(draft, raw: Array("\(number)".utf8))
        }
        _ = try await log.append(rows, from: source, position: nil)
    }

    /// A store whose oldest events a hard cut took from the sink `kafka`, closed: nothing of it is in memory any more.
    static func cut(_ events: ClosedRange<Int>, settled: Int64) async throws -> TemporaryFolder {
        let fixture = try PumpFixture()
        try await fixture.append(events)
        _ = try await fixture.log.openSink("kafka", from: .beginning)
        var update = SinkUpdate(progress: SinkProgress(position: settled))
        update.delivered = Int(settled)
        try await fixture.log.settle("kafka", update)
        fixture.clock.advance(by: .seconds(100))
        while try await fixture.log.forget(
            retention: .seconds(10), hard: .seconds(50), dedupRetention: .zero, relay: "acme"
        ).removed > 0 {}
        return fixture.folder
    }

    static func selection(_ pattern: String = "*") -> SinkSelection {
        SinkSelection(events: [NamePattern(pattern)].compactMap { $0 }, accounts: nil)
    }

    func record(_ name: String) async throws -> SinkRecord? {
        try await log.sinks().first { $0.name == name }
    }

    /// Runs a pump while `body` runs, moving the clock in small steps, then stops it.
    func running(
        _ pump: any Service, step: Duration = .milliseconds(25), _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pump.run() }
            let ticking = Task {
                while !Task.isCancelled {
                    clock.advance(by: step)
                    await Task.yield()
                }
            }
            try await body()
            await pump.stop()
            try await group.waitForAll()
            ticking.cancel()
            await ticking.value
        }
    }

    /// Waits, without a clock, until the store says so.
    func until(_ name: String, _ isTrue: (SinkRecord) -> Bool) async throws {
        while true {
            if let record = try await record(name), isTrue(record) { return }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// A sink that answers by plan and writes down what it got.
final class FlakySink: BatchSink {
    private struct State {
        var got: [Int64] = []
        var plan: @Sendable (Int64, Int) -> Outcome
        var attempts: [Int64: Int] = [:]
        var isOpen = false
        var isClosed = false
    }

    private let state: Mutex<State>

    /// - Parameter plan: the outcome of an offset's n-th attempt, from 1.
    init(_ plan: @escaping @Sendable (Int64, Int) -> Outcome) {
        state = Mutex(State(plan: plan))
    }

    var got: [Int64] { state.withLock { $0.got } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    private func deliver(_ event: StoredEvent) -> Outcome {
        state.withLock { state in
            precondition(!state.isClosed, "delivered after close")
            state.got.append(event.offset)
            state.attempts[event.offset, default: 0] += 1
            return state.plan(event.offset, state.attempts[event.offset] ?? 0)
        }
    }

    func open() async -> Bool {
        state.withLock { $0.isOpen = true }
        return true
    }

    func begin(_ events: [StoredEvent]) -> any BatchDelivery {
        SettledBatch(events.map { deliver($0) })
    }

    func close() async {
        state.withLock { $0.isClosed = true }
    }
}

/// A batch that was settled as soon as it was begun.
struct SettledBatch: BatchDelivery {
    private let outcomes: [Int: Outcome]

    init(_ outcomes: [Outcome]) {
        self.outcomes = Dictionary(
            uniqueKeysWithValues: outcomes.enumerated().filter { $0.element != .accepted }
                .map { ($0.offset, $0.element) })
    }

    func failures() async -> [Int: Outcome] { outcomes }
}

extension Outcome {
    static let failed = Outcome.retry(Failure(status: 500, reason: "HTTP status 500"))
}
