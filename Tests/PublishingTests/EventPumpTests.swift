import EventModel
import Persisting
import Ports
import Services
import TestSupport
import Testing

@testable import Publishing

/// Pins the webhook pump over a real log: positions, retries in the store, restarts. Time is moved by the tests.
@Suite(.timeLimit(.minutes(1))) struct EventPumpTests {
    private let name = "webhook/a"

    private func pump(
        _ fixture: PumpFixture, _ sink: FlakySink, pattern: String = "*",
        waits: [Duration] = [.seconds(5), .seconds(60)],
        concurrency: Int = 4
    ) -> EventPump {
        EventPump(
            name, sink: sink, log: fixture.log, from: .beginning, selection: PumpFixture.selection(pattern),
            schedule: RetrySchedule(.fixed(waits), jitter: 0), concurrency: concurrency,
            timekeeper: fixture.clock,
            draw: { 0.5 }, logger: .silent)
    }

    @Test func everyEventIsDeliveredOnceAndCounted() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...300)
        let sink = FlakySink { _, _ in .accepted }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until(name) { $0.progress.position == 300 }
            try await fixture.append(301...310)
            try await fixture.until(name) { $0.progress.position == 310 }
        }
        #expect(sink.got.sorted() == Array(1...310).map(Int64.init))
        let record = try #require(try await fixture.record(name))
        #expect(record.delivered == 310 && record.progress.settled.isEmpty && record.waiting == 0)
    }

    @Test func failureWaitsInTheStoreAndHoldsNobodyUp() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...20)
        let sink = FlakySink { offset, attempt in offset == 3 && attempt < 3 ? .failed : .accepted }
        try await fixture.running(pump(fixture, sink), step: .milliseconds(1)) {
            try await fixture.until(name) { $0.progress.position == 20 }
            let record = try #require(try await fixture.record(name))
            #expect(record.waiting == 1 && record.delivered == 19)
        }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until(name) { $0.delivered == 20 }
        }
        #expect(sink.got.count { $0 == 3 } == 3)
        #expect(try await fixture.record(name)?.waiting == 0)
    }

    @Test func spentScheduleIsADeadLetter() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...5)
        let sink = FlakySink { offset, _ in offset == 2 ? .failed : .accepted }
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until(name) { $0.dead == 1 }
        }
        let record = try #require(try await fixture.record(name))
        #expect(record.delivered == 4 && record.waiting == 0 && record.progress.position == 5)
        #expect(sink.got.count { $0 == 2 } == 3)
    }

    @Test func refusedEventIsADeadLetterAtOnce() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...3)
        let sink = FlakySink { offset, _ in
            offset == 2 ? .refused(Outcome.Failure(status: 413, reason: "HTTP status 413")) : .accepted
        }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until(name) { $0.dead == 1 && $0.delivered == 2 }
        }
        #expect(sink.got.count == 3)
    }

    @Test func retryThatComesDueWhileDeliveriesAreQueuedIsMade() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...400)
        let sink = FlakySink { offset, attempt in offset == 1 && attempt == 1 ? .failed : .accepted }
        // A slow receiver: the queue behind the budget is never empty while the retry comes due.
        let pump = pump(fixture, sink, waits: [.milliseconds(30)], concurrency: 2)
        try await fixture.running(pump, step: .milliseconds(1)) {
            try await fixture.until(name) { $0.delivered == 400 }
        }
        #expect(try await fixture.record(name)?.waiting == 0)
        #expect(sink.got.count { $0 == 1 } == 2)
    }

    @Test func askedForWaitIsHonoured() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...1)
        let sink = FlakySink { _, attempt in
            attempt == 1
                ? .retry(Outcome.Failure(status: 503, reason: "x"), notBefore: .seconds(3600)) : .accepted
        }
        let start = fixture.clock.now
        try await fixture.running(pump(fixture, sink), step: .seconds(1)) {
            try await fixture.until(name) { $0.delivered == 1 }
        }
        #expect(fixture.clock.now - start >= .seconds(3600))
    }

    @Test func filteredEventsArePassedAndCounted() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        let sink = FlakySink { _, _ in .accepted }
        try await fixture.running(pump(fixture, sink, pattern: "relation.*")) {
            try await fixture.until(name) { $0.progress.position == 10 }
        }
        #expect(sink.got.isEmpty)
        #expect(try await fixture.record(name)?.filtered == 10)
    }

    @Test func restartRepeatsNothingThatWasSettled() async throws {
        let fixture = try PumpFixture()
        try await fixture.append(1...10)
        _ = try await fixture.log.openSink(name, from: .beginning)
        var update = SinkUpdate(progress: SinkProgress(position: 2, settled: [4...6, 9...9]))
        update.delivered = 6
        try await fixture.log.settle(name, update)
        let sink = FlakySink { _, _ in .accepted }
        try await fixture.running(pump(fixture, sink)) {
            try await fixture.until(name) { $0.progress.position == 10 }
        }
        #expect(sink.got.sorted() == [3, 7, 8, 10])
        #expect(try await fixture.record(name)?.delivered == 10)
    }
}
