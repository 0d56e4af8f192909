import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport
import Testing

@testable import Publishing

/// Pins the transactional pump over a real log: what is committed, what is counted, when it stops.
@Suite(.timeLimit(.minutes(1))) struct TransactionPumpTests {
    /// A broker in memory: keeps what was committed, answers by plan.
    private final class ScriptedTransactions: TransactionalSink {
        struct State {
            var committed: [Int64] = []
            var position: RemotePosition?
            var openings: [SinkOpening] = []
            var outcomes: [TransactionOutcome] = []
            var refused: Set<Int64> = []
            var opened = 0
            var isClosed = false
        }

        private let state: Mutex<State>

        init(_ change: (inout State) -> Void = { _ in }) {
            var state = State()
            change(&state)
            self.state = Mutex(state)
        }

        var now: State { state.withLock { $0 } }

        func open() async -> SinkOpening? {
            state.withLock { state in
                state.opened += 1
                return state.openings.isEmpty ? .ready(state.position) : state.openings.removeFirst()
            }
        }

        func commit(_ events: [StoredEvent], position: Int64) async -> TransactionOutcome {
            state.withLock { state in
                let planned = state.outcomes.isEmpty ? nil : state.outcomes.removeFirst()
                let suspects = events.enumerated().filter { state.refused.contains($0.element.offset) }
                if planned == nil, !suspects.isEmpty {
                    let neighbours = suspects.flatMap { [$0.offset, max(0, $0.offset - 1)] }
                    return .refused(
                        Dictionary(neighbours.map { ($0, Outcome.Failure(reason: "too large")) }) {
                            first, _ in first
                        })
                }
                if let planned, planned != .committed {
                    // A commit whose answer was lost.
                    guard case .unknown("lost") = planned else { return planned }
                    take(events, position, &state)
                    return planned
                }
                take(events, position, &state)
                return .committed
            }
        }

        private func take(_ events: [StoredEvent], _ position: Int64, _ state: inout State) {
            state.committed += events.map(\.offset)
            state.position = RemotePosition(offset: position, logID: state.position?.logID, host: "h", pid: 1)
        }

        func close() async { state.withLock { $0.isClosed = true } }
    }

    private func pump(
        _ fixture: PumpFixture, _ sink: ScriptedTransactions, events: String = "*", adopts: Bool = false
    ) -> TransactionPump {
        TransactionPump(
            "kafka", sink: sink, log: fixture.log, from: .beginning, selection: PumpFixture.selection(events),
            adopts: adopts, timekeeper: fixture.clock, draw: { 0.5 }, logger: .silent)
    }

    private func own(_ fixture: PumpFixture, _ offset: Int64) -> RemotePosition {
        RemotePosition(offset: offset, logID: fixture.log.logID, host: "h", pid: 1)
    }

    @Test func everyEventIsCommittedOnceInLogOrderWithThePosition() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...5000)
        let sink = ScriptedTransactions { $0.position = own(fixture, 0) }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 5000 }
            try await fixture.append(5001...5003)
            try await fixture.until("kafka") { $0.progress.position == 5003 }
        }
        #expect(sink.now.committed == Array(1...5003).map(Int64.init) && sink.now.isClosed)
        #expect(sink.now.position == own(fixture, 5003))
        #expect(try await fixture.record("kafka")?.delivered == 5003)
    }

    @Test func whatAHardCutTookIsPassedAndCountedExpired() async throws {
        let fixture = try PumpFixture(in: try await PumpFixture.cut(1...10, settled: 3))
        let sink = ScriptedTransactions { $0.position = own(fixture, 3) }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 11 }
        }
        #expect(sink.now.committed == [11] && sink.now.position == own(fixture, 11))
        let record = try #require(try await fixture.record("kafka"))
        #expect(record.expired == 7 && record.delivered == 4 && record.isBalanced)
    }

    @Test func aTransactionThatWasCommittedBeforeTheCrashIsCountedAndNotSentAgain() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = ScriptedTransactions { $0.position = own(fixture, 6) }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.now.committed == [7, 8, 9, 10])
        #expect(try await fixture.record("kafka")?.delivered == 10)
    }

    @Test func aCommitWhoseAnswerIsLostIsAskedForAndNotRepeated() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = ScriptedTransactions {
            ($0.position, $0.outcomes) = (own(fixture, 0), [.unknown("lost")])
        }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.now.committed == Array(1...10).map(Int64.init) && sink.now.opened == 2)
    }

    @Test func anAbortedTransactionIsSentAgainWhole() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = ScriptedTransactions { $0.outcomes = [.aborted("leader"), .aborted("again")] }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.now.committed == Array(1...10).map(Int64.init) && sink.now.opened == 1)
    }

    @Test func onlyWhatIsRefusedAloneIsGivenUpAndOrderStays() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = ScriptedTransactions { $0.refused = [1, 4, 9] }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.now.committed == [2, 3, 5, 6, 7, 8, 10])
        let record = try #require(try await fixture.record("kafka"))
        #expect(record.dead == 3 && record.delivered == 7)
    }

    @Test func whatIsFilteredMovesThePositionWithoutATransaction() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = ScriptedTransactions()
        try await fixture.running(pump(fixture, sink, events: "relation.*"), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.now.committed.isEmpty)
        #expect(try await fixture.record("kafka")?.filtered == 10)
    }

    @Test func aForeignPositionStopsTheRelayUnlessAdopted() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...3)
        let foreign = RemotePosition(offset: 2, logID: "other", host: "h", pid: 9)
        let sink = ScriptedTransactions { $0.position = foreign }
        let error = await #expect(throws: RelayStop.self) { try await pump(fixture, sink).run() }
        #expect(error?.kind == .foreign && sink.now.committed.isEmpty && sink.now.isClosed)
        let adopted = ScriptedTransactions { $0.position = foreign }
        try await fixture.running(pump(fixture, adopted, adopts: true), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 3 }
        }
        #expect(adopted.now.committed == [1, 2, 3])
    }

    @Test(arguments: [true, false]) func aFencedRelayStops(atOpening: Bool) async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...3)
        let sink = ScriptedTransactions {
            if atOpening { $0.openings = [.fenced("epoch")] } else { $0.outcomes = [.fenced("epoch")] }
        }
        let error = await #expect(throws: RelayStop.self) { try await pump(fixture, sink).run() }
        #expect(error?.kind == .fenced && sink.now.isClosed)
        #expect(try await fixture.record("kafka")?.progress.position == 0)
    }

    @Test func whatIsMissingAtTheOtherSideIsWaitedFor() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...3)
        let sink = ScriptedTransactions { $0.openings = [.failed("no topic"), .failed("no topic")] }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until("kafka") { $0.progress.position == 3 }
        }
        #expect(sink.now.opened == 3 && sink.now.committed == [1, 2, 3])
    }

    /// A cluster that opens and never says what became of a transaction is asked less and less often.
    @Test func aWordThatNeverComesIsWaitedForLongerEachTime() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...3)
        let sink = ScriptedTransactions {
            $0.position = own(fixture, 0)
            $0.outcomes = Array(repeating: .unknown("nobody answers"), count: 8)
        }
        let pump = pump(fixture, sink)
        try await pump.start()
        async let done: Void = pump.run()
        var waits: [Duration] = []
        for _ in 0..<8 {
            let wait = await fixture.clock.nextSleep()
            waits.append(wait)
            fixture.clock.advance(by: wait)
        }
        try await fixture.until("kafka") { $0.progress.position == 3 }
        await pump.stop()
        try await done
        #expect(waits == waits.sorted() && waits[7] > .seconds(20), "\(waits)")
    }
}
