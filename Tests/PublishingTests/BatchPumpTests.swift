import EventModel
import Persisting
import Ports
import Services
import TestSupport
import Testing

@testable import Publishing

/// Pins the Kafka pump over a real log: order, position after the report, dead letters.
@Suite(.timeLimit(.minutes(1))) struct BatchPumpTests {
    private func running(_ fixture: PumpFixture, _ sink: FlakySink, _ body: () async throws -> Void)
        async throws
    {
        let pump = BatchPump(
            "kafka", sink: sink, log: fixture.log, from: .beginning, selection: PumpFixture.selection(),
            timekeeper: fixture.clock, draw: { 0.5 }, logger: .silent)
        try await fixture.running(pump, step: .seconds(1), body)
    }

    @Test func eventsGoInLogOrderAndThePositionFollows() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...5000)
        let sink = FlakySink { _, _ in .accepted }
        try await running(fixture, sink) {
            try await fixture.until("kafka") { $0.progress.position == 5000 }
            try await fixture.append(5001...5003)
            try await fixture.until("kafka") { $0.progress.position == 5003 }
        }
        #expect(sink.got == Array(1...5003).map(Int64.init))
        #expect(sink.isClosed)
        #expect(try await fixture.record("kafka")?.delivered == 5003)
    }

    @Test func failedRecordIsSentAgainAndTheAcknowledgedOnesAreNot() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = FlakySink { offset, attempt in offset == 4 && attempt < 3 ? .failed : .accepted }
        try await running(fixture, sink) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        #expect(sink.got.count { $0 == 4 } == 3)
        #expect(sink.got.count { $0 == 9 } == 1)
        #expect(try await fixture.record("kafka")?.delivered == 10)
    }

    @Test func recordRefusedForGoodIsADeadLetterAndTheRestGoesOn() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = FlakySink { offset, _ in
            offset == 7 ? .refused(Outcome.Failure(reason: "Broker: Message size too large")) : .accepted
        }
        try await running(fixture, sink) {
            try await fixture.until("kafka") { $0.progress.position == 10 }
        }
        let record = try #require(try await fixture.record("kafka"))
        #expect(record.dead == 1 && record.delivered == 9)
    }

    @Test func whatTheLogHoldsIsPublishedBeforeAStopIsDone() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...5000)
        let sink = FlakySink { _, _ in .accepted }
        let pump = BatchPump(
            "kafka", sink: sink, log: fixture.log, from: .beginning, selection: PumpFixture.selection(),
            timekeeper: fixture.clock, draw: { 0.5 }, logger: .silent)
        await pump.stop()
        try await pump.run()
        #expect(sink.got.count == 5000)
        #expect(try await fixture.record("kafka")?.progress.position == 5000)
    }

    @Test func whatAHardCutTookIsPassedAndCountedExpired() async throws {
        let fixture = try PumpFixture(in: try await PumpFixture.cut(1...10, settled: 3))
        let sink = FlakySink { _, _ in .accepted }
        try await running(fixture, sink) {
            try await fixture.until("kafka") { $0.progress.position == 11 }
        }
        let record = try #require(try await fixture.record("kafka"))
        #expect(record.expired == 7 && record.delivered == 4 && record.isBalanced)
        #expect(sink.got == [11])
    }
}
