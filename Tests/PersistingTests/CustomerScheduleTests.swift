import EventModel
import Ports
import SQLite
import TestSupport
import Testing

@testable import Persisting

/// Pins who is next, what enters and wakes customers, and that the order survives.
@Suite struct CustomerScheduleTests {
    private func keys(_ head: ScheduleHead) -> [String?] { [head.wanted?.key, head.oldest?.key] }

    private func relation(_ number: Int64, external: String? = "new", kind: SourceKind = .relations) -> LogRow
    {
        let reference = CustomerReference(
            customer: number, externalUser: kind == .relations ? external : nil,
            staff: kind == .relations ? "s" : nil)
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: kind, identity: "r\(number)", time: LogFixture.time,
            subject: "customer/\(number)", data: Array("{}".utf8), customer: reference)
        return .event(draft, raw: Array("r\(number)".utf8))
    }

    @Test func customersThatWereNeverReadComeFirstThenTheOldest() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(3)
        var order: [String] = []
        for _ in 0..<5 {
            fixture.clock.advance(by: .seconds(1))
            let head = try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now)
            let next = try #require(head.oldest)
            order.append(next.key)
            _ = try await fixture.read([], customer: next.key)
        }
        #expect(order == ["wm1", "wm2", "wm3", "wm1", "wm2"])
        let counts = try await fixture.log.customerCounts(of: fixture.follow)
        #expect(counts.customers == 3 && counts.unread == 0)
        #expect(counts.oldestReading == fixture.clock.now - .seconds(2))
    }

    @Test func aNewRelationEntersItsCustomerAndIsWantedAtOnce() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        _ = try await fixture.log.append([relation(7)], from: fixture.relations, position: nil)
        let now = fixture.clock.now
        #expect(keys(try await fixture.log.customers(of: fixture.follow, at: now)).first == "new")
        #expect(keys(try await fixture.log.customers(of: fixture.files, at: now)).first == "s\n7")
    }

    @Test func aRelationSeenAgainWakesNobody() async throws {
        let fixture = try await CustomerFixture()
        _ = try await fixture.log.append([relation(7)], from: fixture.relations, position: nil)
        _ = try await fixture.read([], customer: "new")
        fixture.clock.advance(by: .seconds(1))
        _ = try await fixture.log.append([relation(7)], from: fixture.relations, position: nil)
        #expect(try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).wanted == nil)
    }

    @Test func aRelationWithoutAnExternalUserHasNoFollowRecords() async throws {
        let fixture = try await CustomerFixture()
        _ = try await fixture.log.append([relation(7, external: nil)], from: fixture.relations, position: nil)
        #expect(try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).oldest == nil)
        #expect(
            try await fixture.log.customers(of: fixture.files, at: fixture.clock.now).wanted?.key == "s\n7")
    }

    @Test func aVisitWakesAKnownCustomerAndEntersNobody() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(3)
        let rows = [relation(2, kind: .visits), relation(99, kind: .visits)]
        _ = try await fixture.log.append(rows, from: fixture.base.source, position: nil)
        let now = fixture.clock.now
        #expect(try await fixture.log.customers(of: fixture.follow, at: now).wanted?.key == "wm2")
        #expect(try await fixture.log.customers(of: fixture.files, at: now).wanted?.key == "s\n2")
        #expect(try await fixture.log.customerCounts(of: fixture.follow).customers == 3)
    }

    @Test func anotherAccountsRelationsEnterNobody() async throws {
        let fixture = try await CustomerFixture()
        let other = SourceIdentity(account: "other", kind: .relations, name: "others")
        _ = try await fixture.log.append([relation(7)], from: other, position: nil)
        #expect(try await fixture.log.customerCounts(of: fixture.follow).customers == 0)
    }

    @Test func whatHappensDuringACallIsWantedAfterIt() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(1)
        let picked = fixture.clock.now
        fixture.clock.advance(by: .seconds(1))
        _ = try await fixture.log.append(
            [relation(1, kind: .visits)], from: fixture.base.source, position: nil)
        _ = try await fixture.log.store(
            [], from: fixture.follow,
            CustomerReading(key: "wm1", eventSource: "acme", picked: picked, reply: [1], patience: .zero))
        #expect(
            try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).wanted?.key == "wm1")
    }

    @Test func aFailedCallGoesToTheBackAndIsWantedLater() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(2)
        let now = fixture.clock.now
        try await fixture.log.customerFailed("wm1", of: fixture.follow, again: now + .seconds(60))
        #expect(keys(try await fixture.log.customers(of: fixture.follow, at: now)) == [nil, "wm2"])
        let later = try await fixture.log.customers(of: fixture.follow, at: now + .seconds(60))
        #expect(later.wanted?.key == "wm1" && later.wanted?.failures == 1)
        #expect(try await fixture.log.customerCounts(of: fixture.follow).unread == 2)
    }

    @Test func theScheduleSurvivesARestart() async throws {
        let base = try LogFixture()
        let source = SourceIdentity(account: "a", kind: .followRecords, name: "f")
        do {
            let log = try base.open()
            let customer = CustomerReference(customer: 1, externalUser: "wm1", staff: nil)
            try await log.discovered([customer], for: source, position: LogFixture.position("x"))
            _ = try await log.store(
                [], from: source,
                CustomerReading(
                    key: "wm1", eventSource: "r", picked: base.clock.now, reply: [7], patience: .zero))
        }
        let log = try base.open()
        let head = try await log.customers(of: source, at: base.clock.now)
        #expect(head.oldest?.reply == [7] && head.oldest?.turn == base.clock.now)
        #expect(try await log.position(of: source)?.state == "x")
    }

    @Test func turnsInTheFutureAreUndoneWhenTheClockCameBack() async throws {
        let fixture = try await CustomerFixture()
        try await fixture.discover(2)
        fixture.clock.jump(by: .seconds(1_000_000))
        _ = try await fixture.read([], customer: "wm1")
        fixture.clock.jump(by: .seconds(-1_000_000))
        try await fixture.log.discovered([], for: fixture.follow, position: LogFixture.position("x"))
        _ = try await fixture.read([], customer: "wm2")
        fixture.clock.advance(by: .seconds(1))
        #expect(
            try await fixture.log.customers(of: fixture.follow, at: fixture.clock.now).oldest?.key == "wm1")
    }

    @Test func pickingTheNextOfManyIsNoTableScan() async throws {
        let fixture = try await CustomerFixture()
        let connection = try Connection(
            path: fixture.base.path, access: .readOnly, busyTimeout: .seconds(5))
        let wanted = try connection.all(
            """
            EXPLAIN QUERY PLAN SELECT key, turn, reply, pending, failures FROM customers
            WHERE source = 1 AND wanted <= 5 ORDER BY wanted LIMIT 1
            """
        ) { $0.text(3) }
        let oldest = try connection.all(
            """
            EXPLAIN QUERY PLAN SELECT key, turn, reply, pending, failures FROM customers
            WHERE source = 1 ORDER BY turn LIMIT 1
            """
        ) { $0.text(3) }
        #expect(wanted.count == 1 && wanted[0].contains("USING INDEX customers_by_want"))
        #expect(oldest.count == 1 && oldest[0].contains("USING INDEX customers_by_turn"))
    }
}
