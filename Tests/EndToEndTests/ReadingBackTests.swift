import Foundation
import TestSupport
import Testing
import VendorSimulator

/// That the examples do each event once, across a restart and where Kafka has it twice.
/// Real: the binary, the examples' programs, librdkafka's mock cluster. Observed: the examples' output.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ReadingBackTests {
    private static let rows = 45

    @Test func pythonExampleDoesEachEventOnce() async throws {
        let folder = try TemporaryFolder()
        try await expectEachOnce { kafka, count in
            [
                try Python.interpreter(), Millrace.file("examples/kafka-consumer/consumer.py"), kafka.brokers,
                folder.file("state.db"), KafkaEnd.topic, "--count", "\(count)",
            ]
        }
    }

    @Test func swiftExampleDoesEachEventOnce() async throws {
        let folder = try TemporaryFolder()
        let program = URL(fileURLWithPath: Millrace.binary).deletingLastPathComponent()
            .appendingPathComponent("kafka-consumer").path
        try await expectEachOnce { kafka, count in
            [program, kafka.brokers, folder.file("journal"), "\(count)", KafkaEnd.topic]
        }
    }

    /// Some events, then, after a relay that began anew has published all of them a second time, the rest.
    private func expectEachOnce(_ command: (KafkaEnd, Int) throws -> [String]) async throws {
        let vendor = try VendorSimulator.started { ($0.rows, $0.seed) = (40, 5) }
        defer { vendor.stop() }
        let kafka = try KafkaEnd()
        let events = try await publish(vendor, kafka, "exactly_once", until: Self.rows)
        let first = try await output(command(kafka, 17))
        #expect(first.count == 17)
        let again = try await publish(vendor, kafka, "at_least_once", until: 2 * Self.rows)
        #expect(again == events)
        let second = try await output(command(kafka, Self.rows))
        let ids = (first + second).compactMap { $0.split(separator: " ").first { $0.hasPrefix("evt_") } }
        #expect(ids.count == Self.rows && Set(ids).count == Self.rows)
        #expect(Set(ids.map(String.init)) == events)
    }

    /// A relay with a store of its own, until Kafka has so many records; the ids of its log.
    private func publish(
        _ vendor: VendorSimulator, _ kafka: KafkaEnd, _ delivery: String, until count: Int
    ) async throws -> Set<String> {
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        (configuration.kafkaBrokers, configuration.delivery) = (kafka.brokers, delivery)
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("\(count) records are in Kafka") { kafka.records.count == count }
        #expect(try await Relay.stop(process) == .exited(0))
        return Set(try await relay.events().map(\.id))
    }

    private func output(_ command: [String]) async throws -> [String] {
        let process = try ChildProcess(command[0], Array(command.dropFirst()), folder: Millrace.repository)
        let finished = try await Millrace.finished(process)
        #expect(finished.exitCode == 0, "\(finished.errors)")
        return finished.lines
    }
}
