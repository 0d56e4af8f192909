import Configuration
import Testing

/// The exact line of every kind of wrong value in the parts behind the log: Kafka, the API, privacy, the relay's own log.
@Suite struct SinkProblemTests {
    private let harness = ConfigurationHarness(files: ["/file": ""])

    static let kafkaIsCheckedCases: [(String, String)] = [
        ("topic: x", "brokers: is missing, allowed: HOST:PORT, or several with commas between"),
        (
            "brokers: 'h:x'",
            "brokers: \"h:x\" is not a list of brokers, allowed: HOST:PORT, or several with commas between"
        ),
        (
            "brokers: 'h,'",
            "brokers: \"h,\" is not a list of brokers, allowed: HOST:PORT, or several with commas between"
        ),
        (
            "brokers: h, topic: 'a.{tenant}'",
            "topic: \"a.{tenant}\" is not a topic, "
                + "allowed: letters, digits, . _ - and {entity} {type} {account} {vendor}, at most 200"
        ),
        (
            "brokers: h, topic: millrace.a.log",
            "topic: is the topic where the relay keeps its position, allowed: any other name"
        ),
        ("brokers: h, mode: data", "mode: \"data\" is not known here, allowed: structured, binary"),
        (
            "brokers: h, delivery: once",
            "delivery: \"once\" is not known here, allowed: exactly_once, at_least_once"
        ),
        (
            "brokers: h, partitions: 0",
            "partitions: \"0\" is out of range, allowed: an integer from 1 to 10000"
        ),
        (
            "brokers: h, replication: 0",
            "replication: \"0\" is out of range, allowed: an integer from 1 to 100"
        ),
        (
            "brokers: h, events: []",
            "events: the list is empty, allowed: at least one of *, a prefix as in visit.*, or an exact name"
        ),
        (
            "brokers: h, events: ['*.x']",
            "events[0]: \"*.x\" is not a pattern, allowed: *, a prefix as in visit.*, or an exact name"
        ),
        (
            "brokers: h, from: yesterday",
            "from: \"yesterday\" is not a position, "
                + "allowed: now, beginning, an offset from 1, or a time as in 2026-11-01T00:00:00+08:00"
        ),
        (
            "brokers: h, from: 0",
            "from: \"0\" is out of range, "
                + "allowed: now, beginning, an offset from 1, or a time as in 2026-11-01T00:00:00+08:00"
        ),
        (
            "brokers: h, properties: {acks: 1}",
            "properties.acks: belongs to the relay, instead: kafka.delivery"
        ),
        (
            "brokers: h, properties: {transactional.id: x}",
            "properties.transactional.id: belongs to the relay, instead: relay.name"
        ),
        (
            "brokers: h, properties: {bootstrap.servers: x}",
            "properties.bootstrap.servers: belongs to the relay, instead: kafka.brokers"
        ),
        ("brokers: h, properties: {a: [b]}", "properties.a: a list instead of a value, allowed: a value"),
    ]

    @Test(arguments: kafkaIsCheckedCases)
    func kafkaIsChecked(fields: String, expected: String) {
        #expect(harness.problems("relay: {name: a}\nkafka: {\(fields)}") == ["m.yaml:2: kafka.\(expected)"])
    }

    static let theAPIIsCheckedCases: [(String, String)] = [
        (
            "listen: '8080'",
            "listen: \"8080\" is not an address to listen at, "
                + "allowed: HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080"
        ),
        (
            "listen: '::1:8080'",
            "listen: \"::1:8080\" is not an address to listen at, "
                + "allowed: HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080"
        ),
        (
            "listen: 'h:65536'",
            "listen: \"h:65536\" is not an address to listen at, "
                + "allowed: HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080"
        ),
        (
            "listen: 0.0.0.0:80",
            "tokens: is missing, and the relay listens beyond loopback, at least one token, or listen at 127.0.0.1"
        ),
        (
            "listen: 127.evil.example.com:80",
            "tokens: is missing, and the relay listens beyond loopback, at least one token, or listen at 127.0.0.1"
        ),
        ("tls: {certificate: /file}", "tls.key: is missing, certificate and key go together"),
        ("tls: {key: /file}", "tls.certificate: is missing, certificate and key go together"),
        ("tls: {}", "tls: is empty, certificate and key go together"),
        (
            "tokens: [{name: n, token: 0123456789abcde, scope: read}]",
            "tokens[0].token: the value is too short, allowed: at least 16 printable ASCII characters without spaces"
        ),
        (
            "tokens: [{name: n, token: 0123456789abcdef, scope: all}]",
            "tokens[0].scope: \"all\" is not known here, allowed: read, write, admin"
        ),
        (
            "allow_private_endpoints: 1",
            "allow_private_endpoints: \"1\" is neither true nor false, allowed: true or false"
        ),
    ]

    @Test(arguments: theAPIIsCheckedCases)
    func theAPIIsChecked(fields: String, expected: String) {
        #expect(harness.problems("relay: {name: a}\nhttp: {\(fields)}") == ["m.yaml:2: http.\(expected)"])
    }

    static let privacyAndLogAreCheckedCases: [(String, String)] = [
        (
            "privacy: {mobile: hash}",
            "privacy.key: is missing, and hash needs it, allowed: 64 hexadecimal digits"
        ),
        (
            "privacy: {mobile: hide}",
            "privacy.mobile: \"hide\" is not known here, allowed: keep, mask, hash, drop"
        ),
        ("privacy: {key: abc}", "privacy.key: the value is not a key, allowed: 64 hexadecimal digits"),
        (
            "log: {level: trace}",
            "log.level: \"trace\" is not known here, allowed: debug, info, warning, error"
        ),
        ("log: {format: xml}", "log.format: \"xml\" is not known here, allowed: json, text"),
    ]

    @Test(arguments: privacyAndLogAreCheckedCases)
    func privacyAndLogAreChecked(text: String, expected: String) {
        #expect(harness.problems("relay: {name: a}\n\(text)") == ["m.yaml:2: \(expected)"])
    }
}
