import Foundation
import Testing
import VendorSimulator

/// What `check` says of SASL and TLS, without and with a broker. Real: the binary, librdkafka, a mock cluster that speaks neither.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct KafkaSecurityTests {
    private static let password = "made-up-password"

    private func check(_ properties: String, brokers: String, _ more: String...) async throws
        -> Millrace.Finished
    {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        (configuration.kafkaBrokers, configuration.kafkaProperties) = (brokers, properties)
        // Its folder goes with it.
        let relay = try Relay(configuration)
        defer { withExtendedLifetime(relay) {} }
        return try await Millrace.finished(try relay.start(["check"] + more))
    }

    @Test(arguments: [
        (
            "{security.protocol: SASL_SSL, sasl.mechanism: PLAIN}",
            "sasl.username and sasl.password must be set"
        ),
        ("{security.protocol: SSL, ssl.ca.location: /not/there}", "ssl.ca.location failed"),
        ("{message.timeout.ms: 300000, transaction.timeout.ms: 1000}", "message.timeout.ms"),
    ])
    func propertiesThatAreWrongTogetherAreAMistake(properties: String, said: String) async throws {
        let finished = try await check(properties, brokers: "127.0.0.1:1")
        #expect(finished.exitCode == 2)
        #expect(
            finished.output.contains("kafka.properties: ") && finished.output.contains(said), "\(finished)")
    }

    @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    func aBrokerThatSpeaksNoTLSIsNamedAsThat(mechanism: String) async throws {
        let properties =
            "{security.protocol: SASL_SSL, sasl.mechanism: \(mechanism), sasl.username: relay, "
            + "sasl.password: \(Self.password)}"
        let valid = try await check(properties, brokers: "127.0.0.1:1")
        #expect(valid.exitCode == 0, "\(valid)")
        let kafka = try KafkaEnd()
        let finished = try await check(properties, brokers: kafka.brokers, "--connect")
        #expect(finished.exitCode == 1)
        let line = try finished.lines.first { $0.hasPrefix("kafka: ") }.unwrapped("\(finished)")
        // A real broker breaks the handshake with words, the mock without any.
        #expect(line.uppercased().contains("HANDSHAKE"), "\(line)")
        #expect(!(finished.output + finished.errors).contains(Self.password))
    }
}
