import InboundHTTP
import Persisting
import Services
import Testing

@testable import Serving

/// Who may ask for what.
@Suite(.timeLimit(.minutes(1)))
struct AccessTests {
    private static let tokens = [Scope.read, .write, .admin].map {
        APIToken(name: "\($0)", token: Secret("token-of-\($0)"), scope: $0)
    }

    private func bearer(_ token: String) -> HTTPHeaders { ["Authorization": "Bearer \(token)"] }

    @Test func withoutATokenNobodyComesIn() async throws {
        let api = try APIFixture(tokens: Self.tokens)
        for target in ["/v1/events", "/v1/tokens", "/v1/nothing"] {
            let answer = try await api.ask("GET", target)
            #expect(answer.status == 401)
            #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        }
        #expect(try await api.ask("GET", "/v1/events", headers: ["Authorization": "Basic abc"]).status == 401)
    }

    @Test func aScopeContainsThoseBeforeIt() async throws {
        let api = try APIFixture(tokens: Self.tokens)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer("token-of-read")).status == 200)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer("token-of-admin")).status == 200)
        let refused = try await api.ask("GET", "/v1/tokens", headers: bearer("token-of-write"))
        #expect(refused.status == 403 && refused.problem == "insufficient-scope")
        #expect(try await api.ask("GET", "/v1/tokens", headers: bearer("token-of-admin")).status == 200)
    }

    @Test func wrongTokensInARowAreThrottledAndARightOneIsNot() async throws {
        let api = try APIFixture(tokens: Self.tokens)
        var statuses: [Int] = []
        for _ in 0..<12 {
            statuses.append(try await api.ask("GET", "/v1/events", headers: bearer("wrong")).status)
        }
        #expect(statuses == [Int](repeating: 401, count: 9) + [429, 429, 429])
        let other = try await api.ask("GET", "/v1/events", headers: bearer("wrong"), from: "127.0.0.2")
        #expect(other.status == 401)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer("token-of-read")).status == 200)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer("wrong")).status == 401)
    }

    @Test func aThrottledAddressBeginsAnewAfterAMinute() {
        var throttle = FailureThrottle()
        for second in 0..<9 { #expect(throttle.failed("a", at: .seconds(second)) == nil) }
        #expect(throttle.failed("a", at: .seconds(9)) != nil)
        #expect(throttle.failed("a", at: .seconds(70)) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", nil, 200), ("localhost:8080", nil, 200), ("[::1]:8080", nil, 200),
        ("LOCALHOST", nil, 200),
        ("127.0.0.1:8080", "http://localhost:3000", 200), ("evil.example.com", nil, 403),
        ("localhost.evil.example.com", nil, 403), ("127.0.0.1.evil.example.com", nil, 403),
        ("127.0.0.1:8080", "http://evil.example.com", 403), ("127.0.0.1", "null", 403), ("", nil, 403),
        ("127.0.0.1:80@evil.example.com", nil, 403),
    ])
    func withoutTokensOnlyThisMachineComesIn(host: String, origin: String?, status: Int) async throws {
        let api = try APIFixture()
        var headers: HTTPHeaders = ["Host": host]
        if let origin { headers.append("Origin", origin) }
        #expect(try await api.ask("GET", "/v1/events", headers: headers).status == status)
    }

    @Test func aTokenIsShownOnceWorksAndIsTakenBack() async throws {
        let api = try APIFixture(tokens: Self.tokens)
        let admin = bearer("token-of-admin")
        let made = try await api.ask(
            "POST", "/v1/tokens", headers: admin, body: #"{"name":"crm","scope":"read"}"#)
        let token = try #require(made.text("token"))
        #expect(made.status == 201)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer(token)).status == 200)
        let list = try await api.ask("GET", "/v1/tokens", headers: admin)
        #expect(list.items.map { $0["name"] as? String } == ["crm"])
        #expect(!String(decoding: list.bytes, as: UTF8.self).contains(token))
        let twice = try await api.ask(
            "POST", "/v1/tokens", headers: admin, body: #"{"name":"crm","scope":"read"}"#)
        #expect(twice.status == 409 && twice.text("field") == "name")
        #expect(try await api.ask("DELETE", "/v1/tokens/crm", headers: admin).status == 204)
        #expect(try await api.ask("GET", "/v1/events", headers: bearer(token)).status == 401)
        #expect(try await api.ask("DELETE", "/v1/tokens/crm", headers: admin).status == 404)
        #expect(try await api.ask("DELETE", "/v1/tokens/read", headers: admin).status == 409)
        let changes = try await api.ask("GET", "/v1/changes", headers: admin).items
        #expect(changes.map { $0["what"] as? String } == ["token.deleted", "token.created"])
        #expect(changes.allSatisfy { $0["who"] as? String == "admin" && $0["subject"] as? String == "crm" })
    }

    @Test func theStoreHasNoTokenOnlyItsHash() async throws {
        let api = try APIFixture(tokens: Self.tokens)
        let made = try await api.ask(
            "POST", "/v1/tokens", headers: bearer("token-of-admin"), body: #"{"name":"crm","scope":"read"}"#)
        let token = try #require(made.text("token"))
        let kept = try await LogReader(path: api.log.path).tokens()
        #expect(kept.map(\.hash) == [AccessControl.hash(token)])
    }

    @Test(arguments: [
        (#"{"scope":"read"}"#, "name", 422), (#"{"name":"a b","scope":"read"}"#, "name", 422),
        (#"{"name":"a","scope":"root"}"#, "scope", 422), (#"{"name":1,"scope":"read"}"#, "name", 422),
        (#"{"name":"a","scope":"read","x":1}"#, "x", 422), (#"{"name":"read","scope":"read"}"#, "name", 409),
        ("[]", nil, 400), ("{", nil, 400),
    ])
    func aWrongBodyIsRefusedAndChangesNothing(body: String, field: String?, status: Int) async throws {
        let api = try APIFixture(tokens: Self.tokens)
        let admin = bearer("token-of-admin")
        let answer = try await api.ask("POST", "/v1/tokens", headers: admin, body: body)
        #expect(answer.status == status && answer.text("field") == field)
        #expect(try await api.ask("GET", "/v1/tokens", headers: admin).items.isEmpty)
        #expect(try await api.ask("GET", "/v1/changes", headers: admin).items.isEmpty)
    }
}
