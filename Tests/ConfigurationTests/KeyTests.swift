import Configuration
import Foundation
import Testing

/// Unknown and repeated keys, and that the three descriptions of the file agree: the reader, the schema, the manual.
@Suite struct KeyTests {
    private let harness = ConfigurationHarness()

    static let unknownKeyNamesTheNearestKnownKeyCases: [(String, String)] = [
        ("relay: {name: a}\nsorces: []", "m.yaml:2: sorces: unknown key, the nearest known key is sources"),
        (
            "relay: {name: a, shutDown: 1s}",
            "m.yaml:1: relay.shutDown: unknown key, the nearest known key is shutdown"
        ),
        (
            "relay: {name: a}\nlog: {levl: info}",
            "m.yaml:2: log.levl: unknown key, the nearest known key is level"
        ),
        (
            "relay: {name: a}\nhttp:\n  port: 80",
            "m.yaml:3: http.port: unknown key, allowed: listen, tls, tokens, allow_private_endpoints"
        ),
        (
            "relay: {name: a}\nkafka: {brokers: h, bogus.key: 1}",
            "m.yaml:2: kafka.bogus.key: unknown key, "
                + "allowed: brokers, topic, delivery, mode, partitions, replication, topic_properties, from, events, properties"
        ),
    ]

    @Test(arguments: unknownKeyNamesTheNearestKnownKeyCases)
    func unknownKeyNamesTheNearestKnownKey(text: String, expected: String) {
        #expect(harness.problems(text) == [expected])
    }

    @Test func camelCaseFindsTheKeyItMeans() {
        #expect(
            harness.problems(Good.source("pageSize: 5")) == [
                "m.yaml:3: sources[0].pageSize: unknown key, the nearest known key is page_size"
            ])
    }

    @Test func aRepeatedKeyIsAProblemAndTheFirstCounts() {
        #expect(
            harness.problems("relay:\n  name: a\n  shutdown: 1s\n  name: B\nrelay: {}") == [
                "m.yaml:4: relay.name: the key is on line 2 already, allowed: every key once",
                "m.yaml:5: relay: the key is on line 1 already, allowed: every key once",
            ])
    }

    @Test func aKeyThatIsNoNameIsNotShown() {
        #expect(
            harness.problems(
                "relay: {name: a}\nhttp: {tokens: [{name: n, token:0123456789abcdef!, scope: read}]}") == [
                    "m.yaml:2: http.tokens[0].token: is missing, "
                        + "allowed: at least 16 printable ASCII characters without spaces",
                    "m.yaml:2: http.tokens[0]: a key is not a plain name, "
                        + "allowed: letters, digits and _-. and a space after the colon",
                ])
    }

    /// One text per part of the schema, each with a key that is unknown there and near nothing.
    static let theSchemaHasTheKeysThatTheReaderKnowsCases: [(String, String)] = [
        ("", "zzzzzzzzzzzzzzzzzzzzzzzz: 1"),
        ("relay", "relay: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
        ("store", "store: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
        ("account", "accounts: [{zzzzzzzzzzzzzzzzzzzzzzzz: 1}]"),
        ("source", "sources: [{kind: tanma.visits, zzzzzzzzzzzzzzzzzzzzzzzz: 1}]"),
        ("sweep", "sources: [{sweeps: [{zzzzzzzzzzzzzzzzzzzzzzzz: 1}]}]"),
        ("kafka", "kafka: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
        ("webhook", "webhooks: [{zzzzzzzzzzzzzzzzzzzzzzzz: 1}]"),
        ("retry", "webhooks: [{retry: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}}]"),
        ("clientTLS", "webhooks: [{tls: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}}]"),
        ("auth", "webhooks: [{auth: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}}]"),
        ("http", "http: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
        ("serverTLS", "http: {tls: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}}"),
        ("token", "http: {tokens: [{zzzzzzzzzzzzzzzzzzzzzzzz: 1}]}"),
        ("privacy", "privacy: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
        ("log", "log: {zzzzzzzzzzzzzzzzzzzzzzzz: 1}"),
    ]

    @Test(arguments: theSchemaHasTheKeysThatTheReaderKnowsCases)
    func theSchemaHasTheKeysThatTheReaderKnows(part: String, text: String) throws {
        let problem = try #require(harness.read(text).problems.first { $0.message == "unknown key" })
        let known = problem.allowed.dropFirst("allowed: ".count).split(separator: ", ").map(String.init)
        #expect(known.sorted() == (try Repository.schemaKeys(of: part)).sorted())
    }

    @Test func theManualExplainsEveryKeyOfTheSchema() throws {
        let manual = try Repository.text("deploy/millrace.yaml")
        for part in try Repository.schemaParts() {
            for key in try Repository.schemaKeys(of: part) {
                #expect(manual.contains("\(key):"), "\(part).\(key)")
            }
        }
    }
}

/// The files of the repository that describe the configuration.
enum Repository {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func path(_ name: String) -> String { root.appending(path: name).path }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    private static func schema() throws -> [String: Any] {
        let bytes = Data(try text("schemas/configuration.schema.json").utf8)
        return try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    }

    private static func definitions() throws -> [String: [String: Any]] {
        try #require(try schema()["$defs"] as? [String: [String: Any]])
    }

    /// The names of all mappings with fixed keys; the file itself has the empty name.
    static func schemaParts() throws -> [String] {
        [""] + (try definitions()).filter { $0.value["properties"] != nil }.keys.sorted()
    }

    static func schemaKeys(of part: String) throws -> [String] {
        let mapping = part.isEmpty ? try schema() : try #require(try definitions()[part])
        #expect(mapping["additionalProperties"] as? Bool == false)
        return try #require(mapping["properties"] as? [String: Any]).keys.map { $0 }
    }
}
