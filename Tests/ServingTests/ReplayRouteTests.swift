import EventModel
import Foundation
import Persisting
import Ports
import Testing

@testable import Serving

/// Replays over the API, through a real engine and a real log.
@Suite(.timeLimit(.minutes(1)))
struct ReplayRouteTests {
    private func delivered(_ api: APIFixture, _ name: String) -> [Int64] {
        api.endpoint.deliveries.filter { $0.replay == name }.flatMap { $0.events.map(\.offset) }.sorted()
    }

    @Test func aRangeIsSentAgainBesideTheLiveFlowWithItsIDs() async throws {
        let api = try APIFixture()
        try await api.running {
            try await api.append(1..<31)
            let made = try await api.ask(
                "POST", "/v1/replays", body: #"{"to":"fixed","from":5,"until":25}"#)
            #expect(made.status == 201, "\(made.json)")
            let id = try #require(made.text("id"))
            let done = try await api.until("/v1/replays/\(id)") { $0.text("state") == "done" }
            #expect(delivered(api, id) == Array(5..<25))
            #expect(done.number("delivered") == 20 && done.number("percent") == 100)
            let live = api.endpoint.deliveries.filter { $0.replay == nil }
            let again = api.endpoint.deliveries.filter { $0.replay == id }
            #expect(Set(again.map(\.id)).isSubset(of: Set(live.map(\.id))))
            // The live account knows nothing of it.
            _ = try await api.until("/v1/subscriptions/fixed/backlog") { $0.number("delivered") == 30 }
        }
    }

    @Test func typesFilterAndTheAccountBalances() async throws {
        let api = try APIFixture()
        try await api.running {
            try await api.append(1..<6)
            let made = try await api.ask(
                "POST", "/v1/replays", body: #"{"to":"fixed","from":"beginning","types":["relation.*"]}"#)
            let id = try #require(made.text("id"))
            let done = try await api.until("/v1/replays/\(id)") { $0.text("state") == "done" }
            #expect(done.number("filtered") == 5 && done.number("events") == 5)
            #expect(try await api.ask("/v1/replays").items.count == 1)
        }
    }

    /// Replays and what a reset has closed have accounts of their own, apart from the live ones (contract, section 8).
    @Test func theAuditTellsTheLiveAccountFromWhatIsApart() async throws {
        let api = try APIFixture()
        try await api.running {
            try await api.append(1..<31)
            _ = try await api.until("/v1/subscriptions/fixed/backlog") { $0.number("delivered") == 30 }
            let made = try await api.ask(
                "POST", "/v1/replays", body: #"{"to":"fixed","from":5,"until":25}"#)
            let id = try #require(made.text("id"))
            _ = try await api.until("/v1/replays/\(id)") { $0.text("state") == "done" }
            #expect(
                try await api.ask("POST", "/v1/subscriptions/fixed/reset", body: #"{"to":"now"}"#).status
                    == 200)
        }
        let audit = try await api.ask("/v1/audit")
        #expect(audit.json["balanced"] as? Bool == true, "\(audit.json)")
        let closed = try #require((audit.json["closed"] as? [[String: Any]])?.first)
        #expect(closed["cause"] as? String == "reset" && closed["delivered"] as? Int == 30)
        let replay = try #require((audit.json["replays"] as? [[String: Any]])?.first)
        #expect(replay["events"] as? Int == 20 && replay["delivered"] as? Int == 20)
        let sinks = try #require(audit.json["sinks"] as? [[String: Any]])
        #expect(sinks.first { $0["name"] as? String == "webhook/fixed" }?["events"] as? Int == 0)
    }

    @Test func aRemovedReplayEndsAndIsGone() async throws {
        let api = try APIFixture()
        try await api.running {
            try await api.append(1..<101)
            _ = try await api.ask("POST", "/v1/subscriptions/fixed/pause")
            let made = try await api.ask("POST", "/v1/replays", body: #"{"to":"fixed","from":1}"#)
            let id = try #require(made.text("id"))
            let waiting = try await api.until("/v1/replays/\(id)") { $0.text("failure") != nil }
            #expect(waiting.text("failure") == "the subscription is paused")
            #expect(try await api.ask("DELETE", "/v1/replays/\(id)").number("pending") == 100)
            #expect(try await api.ask("/v1/replays/\(id)").status == 404)
            #expect(try await api.ask("DELETE", "/v1/replays/\(id)").status == 404)
            _ = try await api.ask("POST", "/v1/subscriptions/fixed/resume")
            _ = try await api.until("/v1/subscriptions/fixed/backlog") { $0.number("delivered") == 100 }
            #expect(delivered(api, id).isEmpty)
        }
    }

    @Test(arguments: [
        (#"{"from":1}"#, 422, "to"), (#"{"to":"fixed"}"#, 422, "from"),
        (#"{"to":"nobody","from":1}"#, 404, "to"), (#"{"to":"fixed","from":"soon"}"#, 422, "from"),
        (#"{"to":"fixed","from":0}"#, 422, "from"), (#"{"to":"fixed","from":99}"#, 409, "from"),
        (#"{"to":"fixed","from":3,"until":3}"#, 409, "until"),
        (#"{"to":"fixed","from":1,"rate":0}"#, 422, "rate"),
        (#"{"to":"fixed","from":1,"types":[]}"#, 422, "types"),
        (#"{"to":"fixed","from":1,"topic":"elsewhere"}"#, 409, "topic"),
        (#"{"to":"kafka","from":1,"topic":"bad topic"}"#, 422, "topic"),
    ])
    func aRefusalNamesTheFieldAndNothingBegins(body: String, status: Int, field: String) async throws {
        let api = try APIFixture()
        try await api.running {
            try await api.append(1..<6)
            let refused = try await api.ask("POST", "/v1/replays", body: body)
            #expect(refused.status == status && refused.text("field") == field, "\(refused.json)")
            #expect(try await api.ask("/v1/replays").items.isEmpty)
        }
    }
}
