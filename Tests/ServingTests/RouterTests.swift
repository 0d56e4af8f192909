import InboundHTTP
import Persisting
import Ports
import Testing

@testable import Serving

/// The rules that all routes share.
@Suite(.timeLimit(.minutes(1)))
struct RouterTests {
    @Test func anUnknownMethodIsToldWhatIsAllowed() async throws {
        let api = try APIFixture()
        for method in ["DELETE", "PUT", "TRACE", "BREW"] {
            let answer = try await api.ask(method, "/v1/tokens")
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD, OPTIONS, POST")
        }
        let options = try await api.ask("OPTIONS", "/v1/tokens")
        #expect(options.status == 204 && options.headers["allow"] == "GET, HEAD, OPTIONS, POST")
    }

    @Test func aHeadIsAnsweredLikeAGet() async throws {
        let api = try APIFixture()
        #expect(try await api.ask("HEAD", "/v1/events").status == 200)
        #expect(try await api.ask("HEAD", "/v1/tokens/x").status == 405)
    }

    @Test(arguments: [
        ("application/json", 200), ("*/*", 200), ("text/html, application/*;q=0.5", 200), ("text/html", 406),
        ("application/json;q=0", 406),
    ])
    func whatTheClientAcceptsCounts(accept: String, status: Int) async throws {
        let api = try APIFixture()
        #expect(try await api.ask("GET", "/v1/events", headers: ["Accept": accept]).status == status)
    }

    @Test func onlyJSONBodiesAreTaken() async throws {
        let api = try APIFixture()
        let answer = try await api.ask(
            "POST", "/v1/tokens", headers: ["Content-Type": "text/plain"],
            body: #"{"name":"a","scope":"read"}"#)
        #expect(answer.status == 415)
    }

    @Test func aRepeatedPostGetsTheFirstAnswer() async throws {
        let api = try APIFixture()
        let key: HTTPHeaders = ["Idempotency-Key": "one"]
        let body = #"{"from":"2026-10-01T00:00:00Z","until":"2026-10-02T00:00:00Z"}"#
        let first = try await api.ask("POST", "/v1/sources/visits/backfill", headers: key, body: body)
        let second = try await api.ask("POST", "/v1/sources/visits/backfill", headers: key, body: body)
        #expect(first.status == 202 && second.bytes == first.bytes)
        #expect(api.source.jobs.count == 1)
        let other = try await api.ask("POST", "/v1/sources/visits/poll", headers: key)
        #expect(other.status == 409 && other.problem == "idempotency-key-reused")
        let bad = try await api.ask("POST", "/v1/sources/visits/poll", headers: ["Idempotency-Key": ""])
        #expect(bad.status == 400)
    }

    @Test func listsArePagedByCursor() async throws {
        let open = try APIFixture()
        for _ in 0..<5 { try await open.log.record(ChangeNote(who: "w", what: "x", subject: "s")) }
        var ids: [Int] = []
        var target = "/v1/changes?limit=2"
        while true {
            let page = try await open.ask("GET", target)
            ids += page.items.compactMap { $0["id"] as? Int }
            guard let cursor = page.text("next_cursor") else { break }
            target = "/v1/changes?limit=2&cursor=\(cursor)"
        }
        #expect(ids == [5, 4, 3, 2, 1])
        #expect(try await open.ask("GET", "/v1/changes?cursor=x").text("field") == "cursor")
    }

    @Test func theFirstTokenClosesTheDoor() async throws {
        let api = try APIFixture()
        let body = #"{"name":"first","scope":"admin"}"#
        #expect(try await api.ask("POST", "/v1/tokens", body: body).status == 201)
        #expect(try await api.ask("GET", "/v1/events").status == 401)
    }

    @Test func jobsAreAskedForWithAWindow() async throws {
        let api = try APIFixture()
        let good = #"{"from":"2026-10-01T00:00:00+08:00","until":"2026-10-02T00:00:00Z"}"#
        #expect(
            try await api.ask("POST", "/v1/sources/visits/reconcile", body: good).text("kind") == "reconcile")
        #expect(try await api.ask("POST", "/v1/sources/visits/poll").status == 202)
        #expect(try await api.ask("GET", "/v1/sources/visits/jobs").items.count == 2)
        #expect(try await api.ask("POST", "/v1/sources/other/poll").status == 404)
        for (body, field) in [
            (#"{"from":"2026-10-01T00:00:00Z"}"#, "until"), ("{}", "from"),
            (#"{"from":"2026-10-02T00:00:00Z","until":"2026-10-02T00:00:00Z"}"#, "until"),
            (#"{"from":"2026-10-02T00:00:00Z","until":"2036-10-02T00:00:00Z"}"#, "until"),
        ] {
            let answer = try await api.ask("POST", "/v1/sources/visits/backfill", body: body)
            #expect([409, 422].contains(answer.status) && answer.text("field") == field)
        }
        #expect(api.source.jobs.count == 2)
    }

    @Test func quarantinedRowsThatCanBeReadBecomeEventsAndCountApart() async throws {
        let api = try APIFixture()
        let rows = ["good1", "bad", "good2"].map { LogRow.rejected(raw: Array($0.utf8), reason: "was bad") }
        _ = try await api.log.append(rows, from: APIFixture.identity, position: nil)
        #expect(
            try await api.ask("GET", "/v1/quarantine").items.map { $0["row"] as? String } == [
                "good1", "bad", "good2",
            ])
        let missing = try await api.ask("POST", "/v1/quarantine/retry", body: #"{"ids":[1,99]}"#)
        #expect(missing.status == 404 && missing.text("field") == "ids")
        let first = try await api.ask("POST", "/v1/quarantine/retry", body: #"{"ids":[1]}"#)
        #expect(first.number("recovered") == 1 && api.log.head == 1)
        let all = try await api.ask("POST", "/v1/quarantine/retry")
        #expect(all.number("recovered") == 1 && all.number("rejected") == 1 && api.log.head == 2)
        let record = try #require(try await api.log.sources().first)
        #expect(record.totals.rejected == 3 && record.totals.read == 3 && record.recovered == 2)
        #expect(try await api.ask("GET", "/v1/quarantine").items.count == 1)
        #expect(try await api.log.audit(thorough: true).balances)
    }
}
