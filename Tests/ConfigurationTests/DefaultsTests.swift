import Configuration
import EventModel
import Services
import Testing

/// What a file that says little means: the contract's table of defaults, and its example.
@Suite struct DefaultsTests {
    private let harness = ConfigurationHarness()

    @Test func aNameAloneIsAConfiguration() throws {
        let settings = try harness.settings("relay: {name: acme}")
        var expected = Settings()
        expected.relay.name = "acme"
        #expect(settings == expected)
        #expect(settings.store.path == "./data/millrace.db")
        #expect(settings.store.retention == .seconds(30 * 86_400))
        #expect(settings.store.retentionHard == .seconds(120 * 86_400))
    }

    static let sourceDefaultsDependOnTheKindCases: [(SourceKind, Int, Int, Int, Int, String)] = [
        (SourceKind.visits, 30, 100, 10, 600, "3600/7200 86400/172800"),
        (.relations, 60, 100, 10, 600, "604800/all"),
        (.followRecords, 10, 100, 0, 0, ""),
        (.customerFiles, 10, 30, 0, 0, ""),
        (.outflow, 60, 100, 60, 3600, "86400/604800 604800/2592000"),
    ]

    @Test(arguments: sourceDefaultsDependOnTheKindCases)
    func sourceDefaultsDependOnTheKind(
        kind: SourceKind, every: Int, pageSize: Int, lag: Int, overlap: Int, sweeps: String
    ) throws {
        let account = kind.vendor == .tanma ? "t" : "w"
        let relations = "{name: r, account: t, kind: tanma.relations}"
        let source = "{name: s, account: \(account), kind: \(kind.rawValue)}"
        let list = kind == .relations ? source : "\(source), \(relations)"
        let settings = try harness.settings(Good.relay + Good.accounts + "sources: [\(list)]")
        let found = try #require(settings.sources.first)
        #expect(found.every == .seconds(every))
        #expect(found.pageSize == pageSize)
        #expect(found.lag == .seconds(lag))
        #expect(found.overlap == .seconds(overlap))
        #expect(found.start == nil)
        let texts = found.sweeps.map { sweep in
            "\(sweep.every.components.seconds)/\(sweep.span.map { String($0.components.seconds) } ?? "all")"
        }
        #expect(texts.joined(separator: " ") == sweeps)
        let isPerCustomer = kind == .followRecords || kind == .customerFiles
        #expect(
            found.customersSince == (isPerCustomer ? Timestamp(rfc3339: "2015-01-01T00:00:00+08:00") : nil))
    }

    @Test func accountDefaultsDependOnTheVendor() throws {
        let accounts = try harness.settings(Good.relay + Good.accounts).accounts
        #expect(
            accounts.map(\.baseURL) == [
                "https://account.tanmarket.cn/apiServer", "https://open.weibanzhushou.com",
            ])
        #expect(accounts.map(\.requestsPerSecond) == [1, 2])
        #expect(accounts.map(\.timeout) == [.seconds(30), .seconds(30)])
        #expect(accounts[0].sendAppKeyHeader == false)
    }

    @Test func kafkaDefaultsNeedOnlyBrokers() throws {
        let kafka = try #require(try harness.settings(Good.relay + "kafka: {brokers: 'a:9092,b'}").kafka)
        var expected = Settings.Kafka()
        expected.brokers = "a:9092,b"
        expected.events = [try #require(NamePattern("*"))]
        #expect(kafka == expected)
        #expect(kafka.from == .beginning)
    }

    @Test func webhookDefaultsNeedNameAddressAndSecret() throws {
        let webhook = try #require(try harness.settings(Good.webhook("")).webhooks.first)
        var expected = Settings.Webhook()
        (expected.name, expected.url) = ("hook", "https://example.com/h")
        expected.secrets = [Secret(ConfigurationHarness.signingSecret)]
        expected.events = [try #require(NamePattern("*"))]
        #expect(webhook == expected)
        #expect(webhook.from == .now)
        #expect(webhook.retry.jitter == 0.2)
    }

    @Test func emptyPartsAreAbsentParts() throws {
        let settings = try harness.settings("relay: {name: acme}\nkafka:\nhttp: ~\nwebhooks: null\nlog:\n")
        #expect(settings.kafka == nil)
        #expect(settings.http == nil)
        #expect(settings.webhooks.isEmpty)
    }

    @Test func anEmptyAPIPartListensOnLoopback() throws {
        let http = try #require(try harness.settings(Good.relay + "http: {}").http)
        #expect(http.host == "127.0.0.1")
        #expect(http.port == 8080)
    }

    @Test func hardRetentionFollowsRetention() throws {
        let four = try harness.settings(Good.relay + "store: {retention: 7d}")
        #expect(four.store.retentionHard == .seconds(28 * 86_400))
        let ever = try harness.settings(Good.relay + "store: {retention: 0, dedup_retention: 0}")
        #expect(ever.store.retentionHard == .zero)
    }
}
