import EventModel
import Ports
import TestSupport
import Testing

@testable import Persisting

/// Pins when an absent record is told of as deleted, and what the event holds.
@Suite struct DeletionTests {
    @Test func aRecordAbsentTwiceFarEnoughApartIsDeletedWithItsLastRow() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        #expect(try await fixture.read([1, 2]).rows.stored == 2)
        #expect(try await fixture.read([1]).deleted == 0)
        fixture.clock.advance(by: .seconds(599))
        #expect(try await fixture.read([1]).deleted == 0)
        fixture.clock.advance(by: .seconds(1))
        let wanted = try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).wanted
        #expect(wanted?.key == "wm1" && wanted?.pending == 1)
        #expect(try await fixture.read([1]).deleted == 1)
        #expect(
            try await fixture.events() == [
                "follow_record.created 1", "follow_record.created 1", "follow_record.deleted 2",
            ])
        let events = try await fixture.log.events(after: 1, limit: 2)
        let (second, deleted) = (try DecodedEvent(events[0]), try DecodedEvent(events[1]))
        #expect(deleted.time == second.time && deleted.subject == second.subject)
        #expect(deleted.dataschema == "urn:millrace:follow_record.deleted:1" && deleted.id != second.id)
        #expect(String(decoding: events[1].body, as: UTF8.self).hasSuffix(#""data":{"content":"a"}}"#))
        #expect(try await fixture.log.sources().first { $0.identity == fixture.follow }?.deleted == 1)
    }

    @Test func aDeletedRecordIsToldOfOnceAndOneThatReturnsIsAnUpdate() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        _ = try await fixture.read([1, 2])
        for _ in 0..<4 {
            fixture.clock.advance(by: .seconds(600))
            _ = try await fixture.read([1])
        }
        #expect(try await fixture.events().filter { $0.contains("deleted") } == ["follow_record.deleted 2"])
        #expect(try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).wanted == nil)
        #expect(try await fixture.read([1, 2]).rows.updated == 1)
        #expect(try await fixture.events().last == "follow_record.updated 3")
        for _ in 0..<2 {
            fixture.clock.advance(by: .seconds(600))
            _ = try await fixture.read([1])
        }
        #expect(try await fixture.events().last == "follow_record.deleted 4")
    }

    @Test func aRecordThatIsBackInBetweenWasNeverAbsent() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        for ids in [[1, 2], [1], [1, 2], [1]] {
            fixture.clock.advance(by: .seconds(600))
            _ = try await fixture.read(ids)
        }
        #expect(try await fixture.events().count == 2)
    }

    @Test func anEmptyReplyNeedsThreeReadingsAndIsSaidOnce() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        _ = try await fixture.read([1, 2])
        var results: [ReadingResult] = []
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(600))
            results.append(try await fixture.read([Int]()))
        }
        #expect(results.map(\.deleted) == [0, 0, 2])
        #expect(results.map(\.vanished) == [true, false, false])
    }

    @Test func aRowThatCannotBeReadKeepsTheOthersAbsencesFromCounting() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        _ = try await fixture.read([1, 2])
        let broken = [CustomerFixture.record(1), LogRow.rejected(raw: [0x7B], reason: "id: missing")]
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(600))
            #expect(try await fixture.read(broken).deleted == 0)
        }
        fixture.clock.advance(by: .seconds(600))
        #expect(try await fixture.read([1]).deleted == 0)
        fixture.clock.advance(by: .seconds(600))
        #expect(try await fixture.read([1]).deleted == 1)
    }

    @Test func aRecordThatMovedToAnotherCustomerIsNotDeleted() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(2)
        _ = try await fixture.read([1, 2])
        _ = try await fixture.read([2], customer: "wm2", content: "b")
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(600))
            #expect(try await fixture.read([1]).deleted == 0)
        }
        #expect(try await fixture.events().last == "follow_record.updated 2")
    }

    @Test func aReplyThatIsTheSameCountsItsRowsAndNothingElse() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        _ = try await fixture.read([1, 2])
        fixture.clock.advance(by: .seconds(60))
        let reading = CustomerReading(
            key: "wm1", eventSource: "acme", picked: fixture.clock.now, reply: [1], patience: .zero)
        let result = try await fixture.log.storeUnchanged(rows: 2, from: fixture.follow, reading)
        #expect(result.duplicate == 2 && result.read == 2)
        let totals = try await fixture.log.sources().first { $0.identity == fixture.follow }?.totals
        #expect(totals?.stored == 2 && totals?.duplicate == 2)
        #expect(try await fixture.log.customerCounts(of: fixture.follow).oldestReading == fixture.clock.now)
    }

    @Test(
        arguments: [
            (nil, 0, false, AbsenceRule.Verdict.waiting(.init(counted: Timestamp(seconds: 0), misses: 1))),
            (1, 599, false, .waiting(.init(counted: Timestamp(seconds: 0), misses: 1))),
            (1, 600, false, .deleted),
            (1, 600, true, .waiting(.init(counted: Timestamp(seconds: 600), misses: 2))),
            (2, 600, true, .deleted),
            (1, -5, false, .waiting(.init(counted: Timestamp(seconds: 0), misses: 1))),
        ] as [(Int?, Int64, Bool, AbsenceRule.Verdict)])
    func absencesAreJudged(misses: Int?, after: Int64, empty: Bool, verdict: AbsenceRule.Verdict) {
        let rule = AbsenceRule(patience: .seconds(600), replyIsEmpty: empty)
        let before = misses.map { AbsenceRule.Absence(counted: Timestamp(seconds: 0), misses: $0) }
        #expect(rule.judge(before, now: Timestamp(seconds: after)) == verdict)
    }
}
