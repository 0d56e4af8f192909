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
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero).removed == 10)
        #expect(
            try await LogReader(path: fixture.path).events(after: 0, limit: 99).map(\.offset) == [
                11, 12, 13, 14, 15,
            ])
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero).removed == 5)
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

    @Test func whatIsOlderThanTheHardLimitGoesAndTheLogIsToldWhoLostIt() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("kafka", from: .beginning)
        _ = try await log.openSink("webhook/a", from: .beginning)
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        var kafka = SinkUpdate(progress: SinkProgress(position: 3, settled: [5...6]))
        kafka.delivered = 5
        try await log.settle("kafka", kafka)
        var update = SinkUpdate(progress: SinkProgress(position: 10))
        update.delivered = 9
        update.waiting = [
            RetryRow(
                offset: 4, attempts: 1, due: fixture.clock.now, firstFailed: fixture.clock.now, status: 500,
                reason: "x")
        ]
        try await log.settle("webhook/a", update)
        func forget() async throws -> Forgotten {
            try await log.forget(
                retention: Self.day, hard: Self.day * 4, dedupRetention: .zero, relay: "acme")
        }
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await forget().removed == 3)
        #expect(try await forget().removed == 0)
        fixture.clock.advance(by: Self.day * 3)
        let cut = try #require(try await forget().cut)
        #expect(cut.from == 4 && cut.until == 11)
        #expect(cut.sinks.map(\.name) == ["kafka", "webhook/a"])
        #expect(cut.sinks.map(\.events) == [5, 1])
        // Also where nobody is there to count it: a cluster that is away, a sink that left the configuration.
        for (name, expired) in [("kafka", Int64(5)), ("webhook/a", 1)] {
            let record = try #require(try await log.sink(name))
            #expect(record.expired == expired && record.open == 1 && record.isBalanced)
        }
        #expect(try await log.audit(thorough: true).balances)
        let told = try #require(try await LogReader(path: fixture.path).events(after: 0, limit: 99).first)
        #expect(told.offset == 11 && told.type == "millrace.log.expired")
        let text = String(decoding: told.body, as: UTF8.self)
        #expect(
            text.contains(
                #""data":{"from":4,"until":11,"sinks":[{"name":"kafka","events":5},{"name":"webhook/a","events":1}]}"#
            ))
        #expect(try await forget().removed == 0)
    }

    @Test func whatASinkStillNeedsStays() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("kafka", from: .beginning)
        _ = try await log.openSink("webhook/a", from: .beginning)
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero).removed == 0)
        try await log.settle("kafka", SinkUpdate(progress: SinkProgress(position: 10)))
        var update = SinkUpdate(progress: SinkProgress(position: 10))
        update.waiting = [
            RetryRow(
                offset: 4, attempts: 1, due: fixture.clock.now, firstFailed: fixture.clock.now, status: 500,
                reason: "x")
        ]
        try await log.settle("webhook/a", update)
        #expect(try await log.forget(retention: Self.day, dedupRetention: .zero).removed == 3)
        #expect(try await log.summary().oldest == 4)
    }

    @Test func zeroKeepsForEver() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 9999)
        #expect(try await log.forget(retention: .zero, dedupRetention: .zero).removed == 0)
    }

    @Test func rowAsOldAsAnExpiredKeyIsTooOldAndANewerOneIsNot() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: Self.day * 2)
        #expect(try await log.forget(retention: .zero, dedupRetention: Self.day).removed == 10)
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
        #expect(try await log.forget(retention: .zero, dedupRetention: Self.day).removed == 1)
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
