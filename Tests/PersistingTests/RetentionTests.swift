import EventModel
import Ports
import TestSupport
import Testing

@testable import Persisting

/// Pins what may be forgotten, and what never.
@Suite struct RetentionTests {
    private static let day: Duration = .seconds(86_400)

    @Test func oldestPrefixGoesAndOffsetsGoOn() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        _ = try await log.append(LogFixture.rows(10..<15), from: fixture.source, position: nil)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero) == 10)
        #expect(
            try await LogReader(path: fixture.path).events(after: 0, limit: 99).map(\.offset) == [
                11, 12, 13, 14, 15,
            ])
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero) == 5)
        _ = try await log.append(LogFixture.rows(20..<21), from: fixture.source, position: nil)
        #expect(log.head == 16)
        #expect(try await log.summary().oldest == 16)
    }

    @Test func offsetsGoOnAfterAnEmptiedLogWasReopened() async throws {
        let fixture = try LogFixture()
        do {
            let log = try fixture.open()
            _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
            fixture.clock.advance(by: Self.day * 2)
            _ = try await log.forget(retention: Self.day, dedupRetention: .zero)
        }
        let log = try fixture.open()
        #expect(log.head == 10)
        _ = try await log.append(LogFixture.rows(10..<11), from: fixture.source, position: nil)
        #expect(log.head == 11)
    }

    @Test func whatASinkStillNeedsStays() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("kafka", from: .beginning)
        _ = try await log.openSink("webhook/a", from: .beginning)
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero) == 0)
        try await log.settle("kafka", SinkUpdate(progress: SinkProgress(position: 10)))
        var update = SinkUpdate(progress: SinkProgress(position: 10))
        update.waiting = [
            RetryRow(
                offset: 4, attempts: 1, due: fixture.clock.now, firstFailed: fixture.clock.now, status: 500,
                reason: "x")
        ]
        try await log.settle("webhook/a", update)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero) == 3)
        #expect(try await log.summary().oldest == 4)
    }

    @Test func zeroKeepsForEver() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 9999)
        #expect(try await log.forget(retention: .zero, dedupRetention: .zero) == 0)
    }

    @Test func rowAsOldAsAnExpiredKeyIsTooOldAndANewerOneIsNot() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: .zero, dedupRetention: Self.day) == 10)
        let old = try await log.append(
            [LogFixture.row("unknown", at: LogFixture.time + .seconds(9)), LogFixture.rows(3..<4)[0]],
            from: fixture.source,
            position: nil)
        #expect(old.tooOld == 2 && old.stored == 0)
        let new = try await log.append(
            [LogFixture.row("new", at: LogFixture.time + .seconds(10))], from: fixture.source, position: nil)
        #expect(new.stored == 1)
    }

    @Test(arguments: [-1000, 40_000_000_000]) func rowWithAWrongDateMakesNothingElseTooOld(seconds: Int64)
        async throws
    {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let now = fixture.clock.now
        let wrong = LogFixture.row("wrong", at: Timestamp(seconds: seconds))
        _ = try await log.append([wrong], from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: .zero, dedupRetention: Self.day) == 1)
        let result = try await log.append(
            [LogFixture.row("new", at: now + Self.day)], from: fixture.source, position: nil)
        #expect(result.stored == 1)
    }

    @Test func firstBackfillOfOldRowsIsNotTooOld() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let old = LogFixture.row("old", at: Timestamp(seconds: 1_000_000_000))
        let result = try await log.append([old], from: fixture.source, position: nil)
        #expect(result.stored == 1 && result.tooOld == 0)
    }
}
