import EventModel
import Ports
import TestSupport
import Testing

@testable import Persisting

/// Pins the sinks' side of the store: where they begin, what is kept for them (L4, L6).
@Suite struct SinkTests {
    @Test(arguments: [
        (SinkStart.beginning, Int64(0)), (.now, 10), (.offset(1), 0), (.offset(4), 3), (.offset(99), 10),
        (.time(Timestamp(seconds: 0)), 0), (.time(Timestamp(seconds: 4_000_000_000)), 10),
    ])
    func startIsResolvedWhenTheNameIsFirstSeen(start: SinkStart, position: Int64) async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        #expect(try await log.openSink("s", from: start).position == position)
        // Kept: the second opening does not move it.
        #expect(try await log.openSink("s", from: .beginning).position == position)
    }

    @Test func startBeforeTheOldestKeptEventBeginsThere() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: .seconds(100))
        _ = try await log.append(LogFixture.rows(10..<12), from: fixture.source, position: nil)
        _ = try await log.forget(retention: .seconds(50), dedupRetention: .zero)
        #expect(try await log.openSink("offset", from: .offset(3)).position == 10)
        #expect(try await log.openSink("beginning", from: .beginning).position == 10)
    }

    @Test func timeIsInclusiveOnRecordedTime() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<3), from: fixture.source, position: nil)
        fixture.clock.advance(by: .seconds(10))
        _ = try await log.append(LogFixture.rows(3..<5), from: fixture.source, position: nil)
        #expect(try await log.openSink("s", from: .time(fixture.clock.now)).position == 3)
    }

    @Test func updateIsStoredWholeAndSurvivesReopening() async throws {
        let fixture = try LogFixture()
        let row = RetryRow(
            offset: 3, attempts: 2, due: fixture.clock.now + .seconds(5), firstFailed: fixture.clock.now,
            status: 503,
            reason: "HTTP status 503")
        do {
            let log = try fixture.open()
            _ = try await log.openSink("s", from: .beginning)
            _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
            var update = SinkUpdate(progress: SinkProgress(position: 5, settled: [7...8, 10...10]))
            (update.delivered, update.filtered) = (6, 1)
            update.waiting = [row]
            update.dead = [
                DeadLetter(offset: 2, attempts: 3, died: fixture.clock.now, status: 413, reason: "too large")
            ]
            try await log.settle("s", update)
        }
        let log = try fixture.open()
        let progress = try await log.openSink("s", from: .now)
        #expect(progress == SinkProgress(position: 5, settled: [7...8, 10...10]))
        let waiting = try await log.retries(of: "s")
        #expect(waiting.map(\.offset) == [3] && waiting.first?.due == row.due)
        #expect(waiting.first?.keys.count == 1 && waiting.first?.attempts == 2)
        let record = try #require(try await log.sinks().first)
        #expect(record.delivered == 6 && record.filtered == 1 && record.dead == 1 && record.waiting == 1)
    }

    @Test func releasedRetryRowIsGone() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("s", from: .beginning)
        var update = SinkUpdate(progress: SinkProgress(position: 1))
        update.waiting = [
            RetryRow(
                offset: 1, attempts: 1, due: fixture.clock.now, firstFailed: fixture.clock.now, status: nil,
                reason: "x")
        ]
        try await log.settle("s", update)
        var second = SinkUpdate(progress: SinkProgress(position: 1))
        second.released = [1]
        second.delivered = 1
        try await log.settle("s", second)
        #expect(try await log.retries(of: "s").isEmpty)
    }

    @Test(arguments: ["", "[]", "[[3,4]]", "[[1,1],[5,9]]"]) func rangesRoundTrip(text: String) {
        let ranges = SinkLedger.decode(text)
        #expect(SinkLedger.encode(ranges) == (text.isEmpty ? "[]" : text))
    }

    @Test(arguments: ["[[4,3]]", "nonsense", "[[1"]) func unreadableRangesReadAsNone(text: String) {
        #expect(SinkLedger.decode(text).isEmpty)
    }
}
