import Foundation
import OutboundHTTP
import TestSupport
import Testing
import VendorSimulator

/// What somebody who watches the relay sees of Kafka. Real: the binary, its store, librdkafka's mock cluster, HTTP.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct KafkaMetricsTests {
    @Test(arguments: ["exactly_once", "at_least_once"])
    func recordsAndLatencyAreCountedAndBrokersAreSeen(delivery: String) async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let cluster = try KafkaEnd()
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        configuration.httpPort = try APIClient.freePort()
        (configuration.kafkaBrokers, configuration.delivery) = (cluster.brokers, delivery)
        configuration.kafkaProperties = "{statistics.interval.ms: 100}"
        let relay = try Relay(configuration)
        let process = try await relay.run()
        let anybody = APIClient(port: configuration.httpPort ?? 0)
        let wanted = [
            "millrace_kafka_records_total{topic=\"millrace.visit\",result=\"acknowledged\"} 15\n",
            "millrace_delivery_latency_seconds_count{sink=\"kafka\"} 15\n",
            "millrace_sink_events{sink=\"kafka\",state=\"published\"} 15\n",
            "millrace_kafka_brokers{state=\"up\"} 1\n", "millrace_kafka_queue_records 0\n",
        ]
        try await eventually("the metrics tell of all records") {
            let text = String(decoding: try await anybody.ask(.get, "/metrics").body, as: UTF8.self)
            return wanted.allSatisfy(text.contains)
        }
        try await eventually("all records are read") { cluster.records.count == 15 }
        #expect(try await Relay.stop(process) == .exited(0))
    }
}
