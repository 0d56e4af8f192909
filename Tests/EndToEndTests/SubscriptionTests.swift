import Foundation
import InboundHTTP
import Synchronization
import TestSupport
import Testing
import VendorSimulator

/// Receivers that misbehave, in front of the binary: every event's state is accounted for in every case.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SubscriptionTests {
    private static let rows = 5 + 20

    /// A relay that has read 25 rows or more and delivers them to `receiver`.
    private func withRelay(
        _ receiver: PlannedReceiver, more: String = "", allowsPrivateEndpoints: Bool = true,
        _ body: (Relay) async throws -> Void
    ) async throws {
        let vendor = try VendorSimulator.started { $0.rows = 20 }
        defer { vendor.stop() }
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        configuration.webhooks = [
            .init(url: receiver.url, retry: "{schedule: [200ms, 400ms, 1s, 1s, 1s], jitter: 0}", more: more)
        ]
        configuration.allowsPrivateEndpoints = allowsPrivateEndpoints
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await body(relay)
        #expect(try await Relay.stop(process) == .exited(0))
        let sink = try await relay.status().sink("webhook/crm")
        #expect(sink.balanced, "\(sink)")
    }

    @Test func goneDisablesTheSubscriptionAndHoldsItsEvents() async throws {
        let receiver = try PlannedReceiver { _, _ in .status(410) }
        try await withRelay(receiver) { relay in
            try await eventually("it is disabled") {
                let sink = try await relay.status().sink("webhook/crm")
                return sink.state == "disabled" && sink.events == Self.rows + 1
            }
            let sink = try await relay.status().sink("webhook/crm")
            #expect(sink.held == Self.rows + 1 && sink.delivered == 0 && sink.dead == 0, "\(sink)")
            #expect(
                try await relay.events().filter { $0.type == "millrace.subscription.disabled" }.count == 1)
        }
        // Nothing but what was under way when the first answer came.
        #expect(receiver.requests.count <= 16)
    }

    @Test func privateAddressIsRefusedAtConnectAndWaits() async throws {
        let receiver = try PlannedReceiver { _, _ in .status(204) }
        try await withRelay(receiver, allowsPrivateEndpoints: false) { relay in
            try await eventually("attempts were refused") {
                try await relay.status().sink("webhook/crm").circuit == "open"
            }
        }
        #expect(receiver.requests.isEmpty)
    }

    @Test func batchesCarryEverythingOnceAndAreSplitWhenTooLarge() async throws {
        let receiver = try PlannedReceiver { request, _ in
            let count = (try? JSONSerialization.jsonObject(with: Data(request.body)) as? [Any])?.count ?? 0
            return .status(count > 4 ? 413 : 204)
        }
        try await withRelay(receiver, more: ", batch: 10, concurrency: 1") { relay in
            try await eventually("all are delivered") {
                try await relay.status().sink("webhook/crm").delivered == Self.rows
            }
            let accepted = receiver.requests.filter { $0.status == 204 }
            let ids = try accepted.flatMap { request in
                try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [[String: Any]])
                    .compactMap {
                        $0["id"] as? String
                    }
            }
            #expect(ids.sorted() == (try await relay.events()).map(\.id).sorted())
            #expect(accepted.allSatisfy { $0.id.hasPrefix("batch_") && $0.isSigned })
        }
    }

    @Test func orderedKeysStayInOrderThroughFailures() async throws {
        // Every third attempt fails, whatever it carries.
        let receiver = try PlannedReceiver { _, number in .status(number % 3 == 0 ? 500 : 204) }
        try await withRelay(receiver, more: ", order: key") { relay in
            try await eventually("all are delivered") {
                try await relay.status().sink("webhook/crm").delivered == Self.rows
            }
            let events = try await relay.events()
            let accepted = receiver.requests.filter { $0.status == 204 }.map(\.id)
            for (key, ofKey) in Dictionary(grouping: events, by: \.key) {
                let order = accepted.filter { id in ofKey.contains { $0.id == id } }
                #expect(order == ofKey.map(\.id), "key \(key)")
            }
        }
    }

    @Test func handshakeMustConsentBeforeADelivery() async throws {
        let receiver = try PlannedReceiver { request, _ in
            request.method == "OPTIONS"
                ? .answer(
                    HTTPAnswer(
                        status: 200, headers: ["WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "6000"])
                )
                : .status(204)
        }
        try await withRelay(receiver, more: ", handshake: true") { relay in
            try await eventually("all are delivered") {
                try await relay.status().sink("webhook/crm").delivered == Self.rows
            }
        }
        #expect(receiver.requests.first?.method == "OPTIONS")
        #expect(receiver.requests.count { $0.method == "OPTIONS" } == 1)
        #expect(receiver.requests.allSatisfy { $0.headers["webhook-request-origin"] != nil })
    }

    @Test func slowDownAndRetryAfterAreKept() async throws {
        let receiver = try PlannedReceiver { _, number in
            number == 1
                ? .answer(HTTPAnswer(status: 429, headers: ["Retry-After": "2"])) : .status(204)
        }
        try await withRelay(receiver, more: ", concurrency: 1") { relay in
            try await eventually("all are delivered") {
                try await relay.status().sink("webhook/crm").delivered == Self.rows
            }
        }
        let times = receiver.requests.map(\.at)
        #expect(times[1] - times[0] >= .seconds(2))
    }

    /// What was answered long before the kill is not sent again, and what is comes under the same id.
    @Test func killRepeatsOnlyWhatWasUnderWay() async throws {
        let receiver = try PlannedReceiver { _, number in number <= 15 ? .status(204) : .hang }
        let vendor = try VendorSimulator.started { $0.rows = 20 }
        defer { vendor.stop() }
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        configuration.webhooks = [.init(url: receiver.url, timeout: "60s", more: ", concurrency: 4")]
        let relay = try Relay(configuration)
        let first = try await relay.run()
        try await eventually("fifteen are stored and four hang") {
            guard receiver.requests.count == 19 else { return false }
            return try await relay.status().sink("webhook/crm").delivered == 15
        }
        first.signal(SIGKILL)
        _ = try await first.ended()
        let second = try PlannedReceiver { _, _ in .status(204) }
        configuration.webhooks = [.init(url: second.url)]
        try relay.write(configuration.yaml)
        let process = try await relay.run()
        try await eventually("all are delivered") {
            try await relay.status().sink("webhook/crm").delivered == Self.rows
        }
        #expect(try await Relay.stop(process) == .exited(0))
        let before = Set(receiver.requests.filter { $0.status == 204 }.map(\.id))
        #expect(before.isDisjoint(with: second.requests.map(\.id)))
        #expect(second.requests.count == Self.rows - 15)
    }

    @Test func webhookThatLeftTheFileIsPausedAndComesBack() async throws {
        let receiver = try PlannedReceiver { _, _ in .status(204) }
        let vendor = try VendorSimulator.started { $0.rows = 20 }
        defer { vendor.stop() }
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        let relay = try Relay(configuration)
        configuration.webhooks = [.init(url: receiver.url, more: ", disabled: true")]
        for (webhooks, state, held) in [
            (configuration.webhooks, "disabled", Self.rows), ([], "disabled", Self.rows),
            ([.init(url: receiver.url)], "active", 0),
        ] {
            configuration.webhooks = webhooks
            try relay.write(configuration.yaml)
            let process = try await relay.run()
            try await eventually("it is \(state) with \(held) held") {
                let sink = try await relay.status().sink("webhook/crm")
                return sink.state == state && sink.held == held && sink.events == Self.rows && sink.balanced
            }
            if state == "active" {
                try await eventually("what was held flows") { receiver.requests.count == Self.rows }
            }
            #expect(try await Relay.stop(process) == .exited(0))
        }
    }
}
