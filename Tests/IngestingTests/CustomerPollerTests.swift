import EventModel
import Persisting
import Ports
import TestSupport
import Testing

@testable import Ingesting

/// Real: the log on a file. Scripted: the vendor. A poller that asks to sleep has done what it could.
@Suite(.timeLimit(.minutes(1)))
struct CustomerPollerTests {
    private let fixture: CustomerPollerFixture

    init() throws {
        fixture = try CustomerPollerFixture()
        fixture.relations.put("900100|1", "950000|2", "999000|3")
        for customer in 1...3 { fixture.vendor.put("wm\(customer)", "\(customer)|wm\(customer)|a") }
    }

    private func events() async throws -> [String] { try await fixture.base.events(fixture.log) }

    @Test func discoveryTellsWhoThereIsAndEmitsNothingOfItsOwn() async throws {
        try await fixture.running(fixture.poller()) { () async throws in
            await fixture.idle()
            #expect(Set(fixture.vendor.asked) == ["wm1", "wm2", "wm3"] && fixture.vendor.asked.count == 3)
        }
        #expect(try await events() == (0..<3).map { _ in "a follow_record.created 1" })
    }

    @Test func aRestartReadsNobodyAgainBeforeTheirTime() async throws {
        try await fixture.running(fixture.poller()) { await fixture.idle() }
        fixture.vendor.forgetAsked()
        try await fixture.running(fixture.poller()) { await fixture.idle() }
        #expect(fixture.vendor.asked.isEmpty)
    }

    @Test func everybodyIsReadAgainBeforeMaxAgeAndAnUnchangedReplyIsDuplicatesAlone() async throws {
        try await fixture.running(fixture.poller()) { () async throws in
            await fixture.idle(then: .seconds(2870))
            await fixture.idle()
            #expect(fixture.vendor.asked.count == 3)
            await fixture.idle()
            _ = await fixture.clock.nextSleep()
            #expect(fixture.vendor.asked.count == 6)
        }
        let totals = try await fixture.log.sources().first { $0.identity == fixture.identity }?.totals
        #expect(totals?.stored == 3 && totals?.duplicate == 3)
    }

    @Test func aCustomerWithNewsGoesBeforeTheOthers() async throws {
        let relations = SourceIdentity(account: "acme-tanma", kind: .relations, name: "relations")
        try await fixture.running(fixture.poller()) { () async throws in
            await fixture.idle(then: .seconds(2900))
            _ = await fixture.clock.nextSleep()
            fixture.vendor.forgetAsked()
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .relations, identity: "9",
                time: Timestamp(seconds: 1), subject: "customer/9", data: Array("{}".utf8),
                customer: CustomerReference(customer: 9, externalUser: "wm9", staff: "s"))
            _ = try await fixture.log.append([.event(draft, raw: [])], from: relations, position: nil)
            fixture.clock.advance(by: .seconds(10))
            _ = await fixture.clock.nextSleep()
        }
        #expect(fixture.vendor.asked.first == "wm9")
    }

    @Test func aCustomerTheVendorCannotAnswerDoesNotKeepTheOthersWaiting() async throws {
        fixture.vendor.fail("wm1", .code(40_001))
        try await fixture.running(fixture.poller()) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(1))
            fixture.clock.advance(by: .seconds(1))
            _ = await fixture.clock.nextSleep()
            #expect(fixture.vendor.asked == ["wm1", "wm2", "wm3"])
            fixture.vendor.fail("wm1", nil)
            for _ in 0..<6 {
                fixture.clock.advance(by: .seconds(10))
                _ = await fixture.clock.nextSleep()
            }
            #expect(fixture.vendor.asked.last == "wm1")
        }
        #expect(try await events().count == 3)
    }

    @Test func aRefusedAccountMarksNobody() async throws {
        fixture.vendor.fail("wm1", .credentials)
        try await fixture.running(fixture.poller()) { () async throws in
            _ = await fixture.clock.nextSleep()
            fixture.vendor.fail("wm1", nil)
            fixture.clock.advance(by: .seconds(1))
            _ = await fixture.clock.nextSleep()
        }
        #expect(fixture.vendor.asked == ["wm1", "wm1", "wm2", "wm3"])
    }

    @Test func aDeletedRecordIsConfirmedAfterTenMinutesNotAfterMaxAge() async throws {
        fixture.vendor.put("wm1", "1|wm1|a", "5|wm1|b")
        try await fixture.running(fixture.poller()) { () async throws in
            await fixture.idle(then: .seconds(2880))
            fixture.vendor.put("wm1", "1|wm1|a")
            await fixture.idle(then: .seconds(590))
            await fixture.idle()
            await fixture.idle()
            _ = await fixture.clock.nextSleep()
        }
        #expect(try await events().last == "b follow_record.deleted 2")
        let record = try await fixture.log.sources().first { $0.identity == fixture.identity }
        #expect(record?.deleted == 1)
    }

    @Test func aDiscoveryThatFailsDoesNotStopThoseWhoAreKnown() async throws {
        try await fixture.running(fixture.poller()) { await fixture.idle() }
        fixture.vendor.forgetAsked()
        fixture.relations.script((0..<9).map { _ in .fails(.transport, afterPages: 0) })
        fixture.clock.advance(by: .seconds(3600))
        try await fixture.running(fixture.poller()) { _ = await fixture.clock.nextSleep() }
        #expect(fixture.vendor.asked.count == 3)
    }

    @Test func relationsThatComeLateAreFoundWhileThePassGoesOn() async throws {
        try await fixture.running(fixture.poller()) { () async throws in
            await fixture.idle(then: .seconds(60))
            fixture.relations.put("900100|1", "950000|2", "999000|3", "999900|4")
            await fixture.idle(then: .seconds(60))
            _ = await fixture.clock.nextSleep()
        }
        #expect(fixture.vendor.asked.contains("wm4"))
    }

    @Test func aMaxAgeThatTheRateCannotKeepIsSaidOnce() async throws {
        try await fixture.running(fixture.poller(maxAge: .seconds(100), perSecond: 0.01)) {
            () async throws in
            for _ in 0..<5 { await fixture.idle() }
        }
        #expect(fixture.lines.count("max_age cannot be kept") == 1)
    }

    @Test func onePollCycleDiscoversAndReadsEverybodyOnce() async throws {
        let result = try await fixture.poller().pollOnce()
        #expect(result.result.rows.stored == 3 && result.failed == 0)
        #expect(fixture.vendor.asked.count == 3)
        #expect(try await fixture.poller().pollOnce().result.rows.read == 0)
    }

    @Test func aPollCycleGoesOnPastACustomerThatFails() async throws {
        fixture.vendor.fail("wm2", .code(40_001))
        let cycle = try await fixture.poller().pollOnce()
        #expect(cycle.result.rows.stored == 2 && cycle.failed == 1 && cycle.failure?.kind == .code(40_001))
    }

    @Test func wantedCustomersGoFirstAndEverySecondPlaceIsThoseWhoAreDue() {
        var plan = CustomerPlan(maxAge: .seconds(100))
        let now = Timestamp(seconds: 1000)
        let due: Timestamp?? = .some(Timestamp(seconds: 920))
        let alone = [nil, .some(nil), due, .some(Timestamp(seconds: 921))].map {
            plan.next(wanted: false, oldest: $0, now: now)
        }
        #expect(alone == [.nobody, .oldest, .oldest, .nobody])
        let both = (0..<4).map { _ in plan.next(wanted: true, oldest: due, now: now) }
        #expect(both == [.wanted, .oldest, .wanted, .oldest])
        let early = plan.next(wanted: true, oldest: .some(now), now: now)
        #expect(early == .wanted)
        #expect(plan.isLate(oldest: Timestamp(seconds: 899), now: now))
        #expect(
            !plan.isLate(oldest: Timestamp(seconds: 900), now: now) && !plan.isLate(oldest: nil, now: now))
    }

    @Test func theDiscoveryPassCoversEverySecondAndEnds() {
        var now = Timestamp(seconds: 100_000_000)
        let since = Timestamp(seconds: 1000)
        var discovery = CustomerDiscovery(lanes: ["1", "2"], since: since, state: nil, now: now)
        var reached = ["1": since, "2": since]
        for step in 0..<2000 {
            guard let (window, lane) = discovery.next(now: now) else {
                now = now + .seconds(10)
                continue
            }
            #expect(window.from <= reached[lane] ?? now && window.to > window.from && window.to <= now)
            reached[lane] = window.to
            discovery.completed(window, lane: lane, rows: 5)
            if step % 7 == 0 {
                discovery = CustomerDiscovery(
                    lanes: ["1", "2"], since: since, state: discovery.state, now: now)
            }
        }
        #expect(reached.values.allSatisfy { $0 == Timestamp(seconds: 100_000_600) })
        #expect(discovery.next(now: now + .seconds(86_400)) == nil)
        let earlier = CustomerDiscovery(
            lanes: ["1", "2"], since: Timestamp(seconds: 500), state: discovery.state, now: now)
        #expect(earlier.next(now: now)?.window.from == Timestamp(seconds: 500))
    }
}
