import Glibc
import Testing
import VendorSimulator

/// The webhook's schedule: kept in the store, counted in attempts, ended by a dead letter.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct RetryTests {
    /// The vendor's own five sample rows and nothing more.
    private static let rows = 5

    private func relay(_ vendor: VendorSimulator, _ receiver: VerifyingReceiver, schedule: String) throws
        -> Relay
    {
        let webhook = RelayConfiguration.Webhook(
            url: receiver.url, retry: "{schedule: \(schedule), jitter: 0}")
        return try Relay(RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)], webhooks: [webhook]))
    }

    @Test func whatFailedIsTriedAgainByTheScheduleUnderTheSameID() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let receiver = try VerifyingReceiver { $0 < 1 ? 500 : 204 }
        let relay = try relay(vendor, receiver, schedule: "[200ms, 400ms]")
        let process = try await relay.run()
        try await eventually("all are accepted") { receiver.accepted.count == Self.rows }
        try await eventually("nothing waits") { try await relay.status().sink("webhook/crm").backlog == 0 }
        #expect(try await Relay.stop(process) == .exited(0))
        let events = try await relay.events()
        for (id, attempts) in Dictionary(grouping: receiver.deliveries, by: \.id) {
            #expect(attempts.map(\.status) == [500, 204])
            #expect(attempts.allSatisfy { $0.isSigned && $0.body == attempts[0].body })
            #expect(events.first { $0.id == id }?.bytes == attempts[0].body)
            #expect(attempts[1].at - attempts[0].at >= .milliseconds(200))
        }
        let sink = try await relay.status().sink("webhook/crm")
        #expect(sink.delivered == Self.rows && sink.dead == 0 && sink.waiting == 0, "\(sink)")
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func aRestartGoesOnWhereTheScheduleWas(signal: Int32) async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let receiver = try VerifyingReceiver { $0 < 1 ? 500 : 204 }
        let relay = try relay(vendor, receiver, schedule: "[3s]")
        let first = try await relay.run()
        try await eventually("all failures are stored") {
            try await relay.status().sink("webhook/crm").waiting == Self.rows
        }
        first.signal(signal)
        _ = try await first.ended()
        #expect(receiver.deliveries.count == Self.rows)
        let second = try await relay.run()
        try await eventually("all are accepted") { receiver.accepted.count == Self.rows }
        #expect(try await Relay.stop(second) == .exited(0))
        for attempts in Dictionary(grouping: receiver.deliveries, by: \.id).values {
            #expect(attempts.map(\.status) == [500, 204])
            #expect(attempts[1].at - attempts[0].at >= .milliseconds(2900))
        }
    }

    /// Attempts of before the restart count: the schedule is not begun again.
    @Test func aScheduleThatIsSpentLeavesADeadLetter() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let receiver = try VerifyingReceiver { _ in 500 }
        let relay = try relay(vendor, receiver, schedule: "[2s]")
        let first = try await relay.run()
        try await eventually("the failures are stored") {
            try await relay.status().sink("webhook/crm").waiting == Self.rows
        }
        #expect(try await Relay.stop(first) == .exited(0))
        let second = try await relay.run()
        try await eventually("all are given up") {
            try await relay.status().sink("webhook/crm").dead == Self.rows
        }
        #expect(try await Relay.stop(second) == .exited(0))
        let counts = Dictionary(grouping: receiver.deliveries, by: \.id).mapValues(\.count)
        #expect(counts.count == Self.rows && counts.values.allSatisfy { $0 == 2 }, "\(counts)")
        let sink = try await relay.status().sink("webhook/crm")
        #expect(sink.delivered == 0 && sink.waiting == 0 && sink.backlog == 0, "\(sink)")
    }
}
