import EventModel
import Kafka
import Testing
import VendorSimulator

/// The whole chain around one relay: a simulated vendor before it, Kafka and a webhook receiver behind it.
final class Chain: Sendable {
    static let account = "acme-tanma"

    let vendor: VendorSimulator
    let kafka: KafkaEnd
    let receiver: VerifyingReceiver
    let relay: Relay

    init(_ change: (inout SimulatorOptions) -> Void = { _ in }) throws {
        vendor = try .started(change)
        kafka = try KafkaEnd()
        receiver = try VerifyingReceiver()
        var configuration = RelayConfiguration(
            accounts: [.init(baseURL: vendor.baseURL)], webhooks: [.init(url: receiver.url)])
        configuration.kafkaBrokers = kafka.brokers
        configuration.overlap = "2m"
        relay = try Relay(configuration)
    }

    deinit {
        vendor.stop()
    }

    /// Waits until everything the vendor will ever have is at both ends.
    /// - Parameter rows: how many rows the vendor will have in the end.
    func settled(rows: Int, within limit: Duration = .seconds(60)) async throws {
        try await eventually("\(rows) rows are at both ends", within: limit) {
            let expected = self.vendor.expectedIDs(account: Self.account)
            guard expected.count >= rows else { return false }
            let (records, deliveries) = (self.kafka.byID, self.receiver.accepted)
            return expected.allSatisfy { records[$0] != nil && deliveries[$0] != nil }
        }
        vendor.stop()
        try await eventually("nothing waits any more", within: limit) {
            try await self.relay.status().sinks.allSatisfy { $0.backlog == 0 }
        }
    }

    /// Everything that must hold of a log and of both ends once nothing is under way.
    func expectWholeness(_ events: [LogEvent]) {
        let expected = vendor.expectedIDs(account: Self.account)
        #expect(Set(expected).count == expected.count)
        #expect(events.compactMap(\.offset) == Array(1...Int64(events.count)), "offsets are not dense")
        #expect(Set(events.map(\.id)).count == events.count, "an id is in the log twice")
        let recorded = events.filter { $0.type == "visit.recorded" }
        #expect(recorded.map(\.id).sorted() == expected.sorted(), "the log is not what happened")
        #expect(recorded.allSatisfy { $0.revision == 1 })
        let (records, deliveries) = (kafka.byID, receiver.accepted)
        #expect(Set(records.keys) == Set(events.map(\.id)))
        #expect(Set(deliveries.keys) == Set(events.map(\.id)))
        for event in events {
            #expect(records[event.id]?.allSatisfy { $0.value == event.bytes } ?? false, "Kafka: \(event.id)")
            #expect(
                deliveries[event.id]?.allSatisfy { $0.body == event.bytes } ?? false, "webhook: \(event.id)")
        }
        #expect(receiver.deliveries.allSatisfy { $0.isSigned })
    }
}

extension VendorSimulator {
    /// The vendor in this process, on this machine's clock.
    static func started(_ change: (inout SimulatorOptions) -> Void = { _ in }) throws -> VendorSimulator {
        var options = SimulatorOptions()
        (options.rows, options.spread) = (30, .seconds(60))
        change(&options)
        return try VendorSimulator(options, now: { .present })
    }
}
