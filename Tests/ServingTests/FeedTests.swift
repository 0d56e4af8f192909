import EventModel
import Foundation
import InboundHTTP
import Persisting
import Services
import TestSupport
import Testing

@testable import Serving

/// Pages of the log. Real: the store on disk. The clock stands still unless a test moves it.
@Suite(.timeLimit(.minutes(1)))
struct FeedTests {
    @Test func aPageHasTheStoredBytesInOrder() async throws {
        let api = try APIFixture()
        try await api.append(0..<5)
        let answer = try await api.ask("GET", "/v1/events?limit=3")
        let stored = try await api.log.events(after: 0, limit: 3).map {
            String(decoding: $0.body, as: UTF8.self)
        }
        #expect(
            String(decoding: answer.bytes, as: UTF8.self)
                == "{\"items\":[\(stored.joined(separator: ","))],\"next_after\":3,\"head\":5,\"log_id\":\"\(api.log.logID)\"}"
        )
    }

    @Test func aReaderThatFollowsNextAfterSeesEveryEventOnce() async throws {
        let api = try APIFixture()
        try await api.append(0..<257)
        var seen: [String] = []
        var after = 0
        repeat {
            let page = try await api.ask("GET", "/v1/events?after=\(after)&limit=100")
            seen += page.items.compactMap { $0["sequence"] as? String }
            after = try #require(page.number("next_after"))
        } while after < 257
        #expect(seen.compactMap { Int($0) } == Array(1...257))
    }

    @Test(arguments: [
        ("types=visit.updated", 0), ("types=visit.*", 30), ("types=relation.*,visit.recorded", 30),
        ("accounts=acme-*", 30), ("accounts=other", 0), ("subject=unionid/1", 10),
        ("subject=unionid/1&types=visit.*&limit=4", 4),
    ])
    func filtersChooseAndNextAfterIsTheLastLookedAt(query: String, count: Int) async throws {
        let api = try APIFixture()
        try await api.append(0..<30)
        let page = try await api.ask("GET", "/v1/events?after=0&\(query)")
        #expect(page.items.count == count)
        // Subject 1 is every third row: the fourth has offset 11.
        #expect(page.number("next_after") == (count == 4 ? 11 : 30))
    }

    @Test func aTimeBeginsAtItsFirstEvent() async throws {
        let api = try APIFixture()
        for number in 0..<10 {
            try await api.append(number..<number + 1)
            api.clock.advance(by: .seconds(60))
        }
        // The clock began at midnight: the sixth event was recorded at five past.
        let page = try await api.ask("GET", "/v1/events?since=2026-11-01T00:05:00Z&limit=1")
        #expect(page.items.first?["sequence"] as? String == "00000000000000000006")
        let later = try await api.ask("GET", "/v1/events?since=2026-11-02T00:05:00Z")
        #expect(later.items.isEmpty && later.number("next_after") == 10)
    }

    @Test func anOffsetThatIsGoneIs410WithTheOldest() async throws {
        let api = try APIFixture()
        try await api.append(0..<10)
        api.clock.advance(by: .seconds(3600))
        try await api.append(10..<12)
        while try await api.log.forget(retention: .seconds(60), dedupRetention: .zero).removed > 0 {}
        let gone = try await api.ask("GET", "/v1/events?after=3")
        #expect(gone.status == 410 && gone.number("oldest") == 11 && gone.problem == "offset-expired")
        // Without a position the feed begins at the oldest.
        let page = try await api.ask("GET", "/v1/events")
        #expect(page.items.count == 2)
        #expect(try await api.ask("GET", "/v1/events?after=10").items.count == 2)
    }

    @Test func anOffsetBeyondTheHeadIs409WithHeadAndLog() async throws {
        let api = try APIFixture()
        try await api.append(0..<3)
        let answer = try await api.ask("GET", "/v1/events?after=4")
        #expect(answer.status == 409 && answer.number("head") == 3 && answer.text("log_id") == api.log.logID)
        #expect(try await api.ask("GET", "/v1/events?after=3").status == 200)
    }

    @Test func aLongPollAnswersWithTheNextEvent() async throws {
        let api = try APIFixture()
        try await api.append(0..<2)
        async let waiting = api.ask("GET", "/v1/events?after=2&wait=60s")
        #expect(await api.clock.nextSleep() == .seconds(60))
        try await api.append(2..<3)
        let answer = try await waiting
        #expect(answer.items.count == 1 && answer.number("next_after") == 3)
    }

    @Test func aLongPollGoesOnPastEventsItDoesNotWant() async throws {
        let api = try APIFixture()
        async let waiting = api.ask("GET", "/v1/events?after=0&wait=60s&subject=unionid/2")
        #expect(await api.clock.nextSleep() == .seconds(60))
        try await api.append(0..<2)
        #expect(await api.clock.nextSleep() == .seconds(60))
        try await api.append(2..<3)
        let answer = try await waiting
        #expect(answer.items.count == 1 && answer.number("next_after") == 3)
    }

    @Test func aLongPollThatIsOverAnswersEmptily() async throws {
        let api = try APIFixture()
        try await api.append(0..<2)
        async let waiting = api.ask("GET", "/v1/events?after=2&wait=5s")
        #expect(await api.clock.nextSleep() == .seconds(5))
        api.clock.advance(by: .seconds(5))
        let answer = try await waiting
        #expect(answer.status == 200 && answer.items.isEmpty && answer.number("next_after") == 2)
    }

    @Test func aLongPollEndsWhenTheRelayStops() async throws {
        let api = try APIFixture()
        async let waiting = api.ask("GET", "/v1/events?wait=60s")
        #expect(await api.clock.nextSleep() == .seconds(60))
        api.stopSignal.stop()
        #expect(try await waiting.status == 200)
    }

    @Test(arguments: [
        ("after=-1", "after"), ("after=x", "after"), ("after=1.0", "after"),
        ("after=99999999999999999999", "after"),
        ("limit=0", "limit"), ("limit=1001", "limit"), ("wait=61s", "wait"), ("wait=1h", "wait"),
        ("wait=", "wait"),
        ("since=yesterday", "since"), ("since=2026-11-01T00:00:00", "since"), ("types=a*b", "types"),
        ("types=", "types"), ("types=a,,b", "types"), ("limit=1&limit=2", "limit"), ("afetr=1", "afetr"),
    ])
    func aWrongParameterIsNamed(query: String, field: String) async throws {
        let api = try APIFixture()
        let answer = try await api.ask("GET", "/v1/events?\(query)")
        #expect(answer.status == 400 && answer.text("field") == field)
        #expect(answer.headers["content-type"] == "application/problem+json")
    }

    @Test func anEventIsFoundByItsID() async throws {
        let api = try APIFixture()
        try await api.append(0..<3)
        let event = try #require(try await api.log.event(at: 2))
        let answer = try await api.ask("GET", "/v1/events/\(event.id.text)")
        #expect((answer.json["event"] as? [String: Any])?["sequence"] as? String == "00000000000000000002")
        #expect(try await api.ask("GET", "/v1/events/evt_00000000000000000000000000").status == 404)
        #expect(try await api.ask("GET", "/v1/events/nonsense").status == 404)
    }

    @Test func aStreamBeginsAtTheHeadAfterAnOffsetOrWhereItsClientStood() async throws {
        let api = try APIFixture()
        try await api.append(0..<5)
        #expect(try await api.ask("GET", "/v1/events/stream").order?.after == 5)
        #expect(try await api.ask("GET", "/v1/events/stream?after=2").order?.after == 2)
        let again = try await api.ask("GET", "/v1/events/stream?after=2", headers: ["Last-Event-ID": "4"])
        #expect(again.order?.after == 4)
        #expect(try await api.ask("GET", "/v1/events/stream?after=6").status == 409)
        #expect(try await api.ask("GET", "/v1/events/stream", headers: ["Last-Event-ID": "x"]).status == 400)
    }
}
