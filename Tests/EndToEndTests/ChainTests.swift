import Foundation
import Kafka
import Testing
import VendorSimulator

/// One visit travels the whole way. Real: the binary, its store on disk, HTTP and Kafka's protocol on loopback.
/// Observed: `millrace events`, the records of the topic, the requests of the webhook.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ChainTests {
    /// The vendor's own sample rows, historic rows of which some are filled in later, and rows that happen meanwhile.
    private static let rows = 5 + 30 + 40

    @Test func everyRowArrivesAtBothEndsWithTheBytesOfTheLog() async throws {
        let chain = try Chain { ($0.rate, $0.limit, $0.revise, $0.seed) = (20, 40, 0.3, 5) }
        let process = try await chain.relay.run()
        try await chain.settled(rows: Self.rows)
        #expect(try await Relay.stop(process) == .exited(0))
        let events = try await chain.relay.events()
        chain.expectWholeness(events)
        expectKeysAndHeaders(events, chain)
        try expectGoldenSample(events)
    }

    private func expectKeysAndHeaders(_ events: [LogEvent], _ chain: Chain) {
        let types = Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0) })
        for (id, records) in chain.kafka.byID {
            guard let event = types[id] else { continue }
            for record in records {
                let headers = Dictionary(uniqueKeysWithValues: record.headers.map { ($0.name, $0.value) })
                #expect(String(decoding: record.key, as: UTF8.self) == event.key)
                #expect(headers["content-type"]?.hasPrefix("application/cloudevents+json") == true)
                #expect(headers["ce_type"] == event.type)
            }
        }
        for delivery in chain.receiver.deliveries {
            let type = delivery.headers.first { $0.name.lowercased() == "content-type" }?.value
            #expect(type?.hasPrefix("application/cloudevents+json") == true)
        }
        // All revisions of a row share a key, and a key has one partition.
        let partitions = Dictionary(grouping: chain.kafka.records, by: \.key).mapValues {
            Set($0.map(\.partition))
        }
        #expect(partitions.values.allSatisfy { $0.count == 1 })
    }

    private func expectGoldenSample(_ events: [LogEvent]) throws {
        let data = try Data(
            contentsOf: URL(fileURLWithPath: Millrace.file("Tests/Fixtures/tanma-visits.events.json")))
        let golden = try #require(JSONSerialization.jsonObject(with: data) as? [NSDictionary])
        #expect(golden.count == 5)
        for expected in golden {
            let event = try #require(events.first { $0.id == expected["id"] as? String })
            #expect(try event.values() == expected)
        }
    }

    /// A second start on the same store adds nothing.
    @Test func aRestartRepeatsNothing() async throws {
        let chain = try Chain { ($0.rows, $0.seed) = (20, 8) }
        let first = try await chain.relay.run()
        try await eventually("25 rows are at both ends") {
            chain.kafka.byID.count == 25 && chain.receiver.accepted.count == 25
        }
        try await eventually("nothing waits") {
            try await chain.relay.status().sinks.allSatisfy { $0.backlog == 0 }
        }
        #expect(try await Relay.stop(first) == .exited(0))
        let before = try await chain.relay.events()
        let served = chain.vendor.statistics.rowsServed
        let second = try await chain.relay.run()
        try await eventually("rows were read again") { chain.vendor.statistics.rowsServed > served }
        #expect(try await Relay.stop(second) == .exited(0))
        #expect(try await chain.relay.events().map(\.bytes) == before.map(\.bytes))
        #expect(chain.kafka.records.count == 25)
        #expect(chain.receiver.deliveries.count == 25)
        chain.expectWholeness(before)
    }
}
