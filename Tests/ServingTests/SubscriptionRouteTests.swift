import EventModel
import Foundation
import InboundHTTP
import Persisting
import Publishing
import Services
import Testing

@testable import Serving

/// Subscriptions over the API: a real engine over a real log, an endpoint that writes down what it gets.
@Suite(.timeLimit(.minutes(1)))
struct SubscriptionRouteTests {
    private func make(_ api: APIFixture, _ more: String = "") async throws -> String {
        let made = try await api.ask(
            "POST", "/v1/subscriptions",
            body: #"{"url":"https://made.example.com/hook","name":"made","from":"beginning"\#(more)}"#)
        #expect(made.status == 201, "\(made.json)")
        return try #require(made.text("id"))
    }

    @Test func aSecretIsMadeShownOnceAndNeverAgain() async throws {
        let api = try APIFixture()
        try await api.running {
            let made = try await api.ask(
                "POST", "/v1/subscriptions", body: #"{"url":"https://made.example.com/"}"#)
            #expect(made.status == 201 && made.text("secret")?.hasPrefix("whsec_") == true)
            let id = try #require(made.text("id"))
            #expect(made.headers["location"] == "/v1/subscriptions/\(id)")
            #expect(made.text("name") == id)
            let secret = try #require(made.text("secret"))
            for path in ["/v1/subscriptions", "/v1/subscriptions/\(id)"] {
                let shown = try await api.ask(path)
                #expect(shown.status == 200)
                #expect(!String(decoding: shown.bytes, as: UTF8.self).contains(secret.dropFirst(6)))
            }
        }
    }

    @Test func everyFieldIsTakenAndShown() async throws {
        let api = try APIFixture()
        try await api.running {
            let made = try await api.ask(
                "POST", "/v1/subscriptions",
                body: """
                    {"url": "https://made.example.com/hook?a=b", "name": "all", "events": ["visit.*"],
                     "accounts": ["acme-*"], "mode": "binary", "order": "key", "headers": {"x-key": "hidden-value"},
                     "timeout": "5s", "retry": {"initial": "1s", "factor": 3, "max": "1m", "give_up_after": "1h"},
                     "concurrency": 4, "rate": 2.5, "compress": "gzip", "disabled": true, "disable_after": "2d",
                     "auth": {"bearer": "hidden-token"}, "proxy": "http://proxy.example.com:3128", "handshake": true,
                     "secret": "whsec_bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtZm9yLW1l", "from": 1}
                    """)
            #expect(made.status == 201, "\(made.json)")
            let expected: [String: String] = [
                "mode": "binary", "order": "key", "timeout": "5s", "compress": "gzip", "disable_after": "2d",
                "auth": "bearer", "proxy": "http://proxy.example.com:3128", "state": "disabled",
                "secret": "whsec_bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtZm9yLW1l",
            ]
            for (name, value) in expected { #expect(made.text(name) == value) }
            #expect(made.json["events"] as? [String] == ["visit.*"])
            #expect(made.json["headers"] as? [String] == ["x-key"])
            #expect(made.json["rate"] as? Double == 2.5 && made.number("concurrency") == 4)
            let retry = made.json["retry"] as? [String: Any]
            #expect(retry?["initial"] as? String == "1s" && retry?["give_up_after"] as? String == "1h")
            #expect(!String(decoding: made.bytes, as: UTF8.self).contains("hidden-"))
        }
    }

    @Test(arguments: [
        ("{}", 422, "url"), (#"{"url":"ftp://example.com/"}"#, 422, "url"),
        (#"{"url":"https://me:secret@example.com/"}"#, 422, "url"), (#"{"url":null}"#, 422, "url"),
        (#"{"url":"https://a.example/","evnts":[]}"#, 422, "evnts"),
        (#"{"url":"https://a.example/","events":[]}"#, 422, "events"),
        (#"{"url":"https://a.example/","events":["a*b"]}"#, 422, "events"),
        (#"{"url":"https://a.example/","mode":"xml"}"#, 422, "mode"),
        (#"{"url":"https://a.example/","timeout":"soon"}"#, 422, "timeout"),
        (#"{"url":"https://a.example/","retry":{"schedule":["5"]}}"#, 422, "retry.schedule"),
        (#"{"url":"https://a.example/","retry":{"wait":"5s"}}"#, 422, "retry.wait"),
        (#"{"url":"https://a.example/","headers":{"x y":"z"}}"#, 422, "headers.x y"),
        (#"{"url":"https://a.example/","headers":{"x":"a\r\nb: c"}}"#, 422, "headers.x"),
        (#"{"url":"https://a.example/","headers":{"webhook-id":"z"}}"#, 409, "headers.webhook-id"),
        (#"{"url":"https://a.example/","batch":10,"mode":"data"}"#, 409, "batch"),
        (#"{"url":"https://a.example/","tls":{"ca":"/no/such/file"}}"#, 409, "tls.ca"),
        (#"{"url":"https://a.example/","auth":{"username":"me"}}"#, 422, "auth"),
        (#"{"url":"https://a.example/","secret":"whsec_short"}"#, 422, "secret"),
        (#"{"url":"https://a.example/","from":"yesterday"}"#, 422, "from"),
        (#"{"url":"https://a.example/","concurrency":0}"#, 422, "concurrency"),
        (#"{"url":"https://a.example/","name":"fixed"}"#, 409, "name"), ("[]", 400, nil), ("{", 400, nil),
    ])
    func aRefusalNamesTheFieldAndNothingIsMade(body: String, status: Int, field: String?) async throws {
        let api = try APIFixture()
        try await api.running {
            let refused = try await api.ask("POST", "/v1/subscriptions", body: body)
            #expect(refused.status == status && refused.text("field") == field, "\(refused.json)")
            #expect(refused.text("detail")?.contains("secret@") == false)
            #expect(try await api.ask("/v1/subscriptions").items.count == 1)
            #expect(try await api.ask("/v1/changes").items.isEmpty)
        }
    }

    @Test func aPatchChangesWhatIsGivenAndNullIsTheDefault() async throws {
        let api = try APIFixture()
        try await api.running {
            let id = try await make(api, #","timeout":"5s","headers":{"x-a":"1","x-b":"2"},"rate":5"#)
            let changed = try await api.ask(
                "PATCH", "/v1/subscriptions/\(id)",
                body: #"{"timeout":null,"headers":{"x-a":null,"x-c":"3"},"events":["visit.recorded"]}"#)
            #expect(changed.status == 200 && changed.text("timeout") == "15s")
            #expect(changed.json["headers"] as? [String] == ["x-b", "x-c"])
            #expect(changed.json["rate"] as? Double == 5)
            let refused = try await api.ask(
                "PATCH", "/v1/subscriptions/\(id)", body: #"{"rate":7,"timeout":"never"}"#)
            #expect(refused.status == 422 && refused.text("field") == "timeout")
            #expect(try await api.ask("/v1/subscriptions/\(id)").json["rate"] as? Double == 5)
            #expect(try await api.ask("PATCH", "/v1/subscriptions/\(id)", body: "").status == 400)
        }
    }

    @Test func aConfiguredOneIsReadOnlyButCanBePausedAndTested() async throws {
        let api = try APIFixture()
        try await api.running {
            let path = "/v1/subscriptions/fixed"
            let changed = try await api.ask("PATCH", path, body: #"{"rate":1}"#)
            #expect(changed.status == 409 && changed.problem == "conflict")
            #expect(try await api.ask("DELETE", path).status == 409)
            #expect(try await api.ask("POST", path + "/rotate-secret").status == 409)
            #expect(try await api.ask("POST", path + "/pause").text("state") == "paused")
            #expect(try await api.ask("POST", path + "/resume").text("state") == "active")
            #expect(try await api.ask("POST", path + "/test").text("outcome") == "delivered")
        }
    }

    @Test func heldEventsFlowOnResumeAndTheBacklogSaysSo() async throws {
        let api = try APIFixture()
        try await api.running {
            let id = try await make(api)
            _ = try await api.ask("POST", "/v1/subscriptions/\(id)/pause")
            try await api.append(1..<6)
            let held = try await api.ask("/v1/subscriptions/\(id)/backlog")
            #expect(held.number("held") == 5 && held.number("pending") == 0)
            _ = try await api.ask("POST", "/v1/subscriptions/\(id)/resume")
            _ = try await api.until("/v1/subscriptions/\(id)/backlog") { $0.number("delivered") == 5 }
            _ = try await api.ask("POST", "/v1/subscriptions/\(id)/reset", body: #"{"to":3}"#)
            let again = try await api.until("/v1/subscriptions/\(id)/backlog") { $0.number("delivered") == 3 }
            #expect(again.number("events") == 3)
        }
    }

    @Test func whatFailsIsListedWithItsNextAttempt() async throws {
        let api = try APIFixture()
        try await api.running {
            api.endpoint.answer(with: 500)
            let id = try await make(api, #","retry":{"schedule":["7d"],"jitter":0}"#)
            try await api.append(1..<4)
            let backlog = try await api.until("/v1/subscriptions/\(id)/backlog?limit=2") {
                $0.items.count == 2
            }
            #expect(backlog.items[0]["status"] as? Int == 500 && backlog.items[0]["attempts"] as? Int == 1)
            let next = try #require(backlog.text("next_cursor"))
            let rest = try await api.ask("/v1/subscriptions/\(id)/backlog?cursor=\(next)")
            #expect(rest.items.count == 1 && rest.json["next_cursor"] is NSNull)
        }
    }

    @Test func attemptsArePagedWithoutALossAlsoWithinAMillisecond() async throws {
        let api = try APIFixture()
        try await api.running {
            let id = try await make(api)
            try await api.append(1..<31)
            let path = "/v1/subscriptions/\(id)/attempts"
            _ = try await api.until(path) { $0.items.count == 30 }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let page = try await api.ask(path + "?limit=7" + (cursor.map { "&cursor=\($0)" } ?? ""))
                seen += page.items.compactMap { $0["webhook_id"] as? String }
                cursor = page.text("next_cursor")
            } while cursor != nil
            #expect(seen.count == 30 && Set(seen).count == 30)
        }
    }

    @Test func aDeadLetterIsListedWithItsAnswerAndRedriven() async throws {
        let api = try APIFixture()
        try await api.running {
            api.endpoint.answer(with: 415)
            let id = try await make(api)
            try await api.append(1..<4)
            let dead = try await api.until("/v1/dead-letters?subscription=\(id)") { $0.items.count == 3 }
            #expect(dead.items[0]["answer"] as? String == "told so" && dead.items[0]["status"] as? Int == 415)
            let first = try #require(dead.items[0]["id"] as? Int)
            let event = try #require(dead.items[0]["event"] as? String)
            let fate = try await api.ask("/v1/events/\(event)").json["subscriptions"] as? [[String: Any]]
            #expect(fate?.first { $0["id"] as? String == id }?["state"] as? String == "dead")

            api.endpoint.answer(with: 200)
            let path = "/v1/dead-letters/redrive"
            #expect(try await api.ask("POST", path, body: #"{"ids":[999]}"#).status == 404)
            #expect(try await api.ask("POST", path, body: "{}").status == 422)
            #expect(try await api.ask("POST", path, body: #"{"ids":[\#(first)]}"#).number("redriven") == 1)
            #expect(
                try await api.ask("POST", path, body: #"{"subscription":"made"}"#).number("redriven") == 2)
            let done = try await api.until("/v1/subscriptions/\(id)/backlog") { $0.number("delivered") == 3 }
            #expect(done.number("dead") == 0)
        }
    }

    @Test func aRotatedSecretIsNewAndTheOldOneSignsOn() async throws {
        let api = try APIFixture()
        try await api.running {
            let id = try await make(api)
            let rotated = try await api.ask(
                "POST", "/v1/subscriptions/\(id)/rotate-secret", body: #"{"overlap":"1h"}"#)
            #expect(rotated.text("secret")?.hasPrefix("whsec_") == true)
            #expect(try await api.ask("/v1/subscriptions/\(id)").number("secrets") == 2)
        }
    }

    @Test func everyChangeIsRecordedWithItsMaker() async throws {
        let api = try APIFixture(tokens: [
            APIToken(name: "ops", token: Secret("long-made-up-token"), scope: .admin)
        ])
        try await api.running {
            func post(_ method: String, _ path: String, _ body: String = "") async throws -> Answered {
                try await api.ask(
                    method, path, headers: ["Authorization": "Bearer long-made-up-token"], body: body)
            }
            let made = try await post("POST", "/v1/subscriptions", #"{"url":"https://a.example/"}"#)
            let path = "/v1/subscriptions/\(try #require(made.text("id")))"
            _ = try await post("PATCH", path, #"{"rate":3}"#)
            for action in ["pause", "resume", "rotate-secret"] {
                _ = try await post("POST", "\(path)/\(action)")
            }
            _ = try await post("POST", "\(path)/reset", #"{"to":"now"}"#)
            #expect(try await post("DELETE", path).status == 204)
            #expect(try await post("GET", path).status == 404)
            let changes = try await post("GET", "/v1/changes").items
            #expect(
                changes.compactMap { $0["what"] as? String } == [
                    "subscription.deleted", "subscription.reset", "subscription.secret_rotated",
                    "subscription.resumed", "subscription.paused", "subscription.changed",
                    "subscription.created",
                ])
            #expect(changes.allSatisfy { $0["who"] as? String == "ops" })
        }
    }
}
