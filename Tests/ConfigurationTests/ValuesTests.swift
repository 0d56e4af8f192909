import Configuration
import EventModel
import Services
import Testing

/// That values given in the file arrive in the settings, in every form a key has.
@Suite struct ValuesTests {
    private let harness = ConfigurationHarness(files: ["/ca": "", "/cert": "", "/key": ""])

    @Test func theKeyDecidesTheType() throws {
        let settings = try harness.settings(
            """
            relay: {name: 5, shutdown: "1m"}
            kafka: {brokers: h, partitions: "3", topic_properties: {retention.ms: 5, x: true}}
            """)
        #expect(settings.relay.name == "5")
        #expect(settings.kafka?.partitions == 3)
        #expect(settings.kafka?.topicProperties == ["retention.ms": "5", "x": "true"])
    }

    static let durationsHaveFiveUnitsCases: [(String, Duration)] = [
        ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("5m", .seconds(300)),
        ("2h", .seconds(7200)),
        ("7d", .seconds(604_800)),
    ]

    @Test(arguments: durationsHaveFiveUnitsCases)
    func durationsHaveFiveUnits(text: String, expected: Duration) throws {
        #expect(try harness.settings("relay: {name: a, shutdown: \(text)}").relay.shutdown == expected)
    }

    @Test func sweepsReadBackByASpanOrToTheStart() throws {
        let source = try #require(
            try harness.settings(
                Good.source(
                    "sweeps: [{every: 7d, span: all}, {every: 1h, span: 2h}]", kind: "tanma.relations")
            )
            .sources.first)
        #expect(
            source.sweeps == [
                .init(every: .seconds(604_800), span: nil),
                .init(every: .seconds(3600), span: .seconds(7200)),
            ])
        let none = try harness.settings(Good.source("sweeps: [], start: 2025-01-01T00:00:00+08:00"))
        #expect(none.sources.first?.sweeps == [])
        #expect(none.sources.first?.start == Timestamp(rfc3339: "2024-12-31T16:00:00Z"))
    }

    static let sinksStartAtFourKindsOfPlacesCases: [(String, Settings.StartPoint)] = [
        ("now", Settings.StartPoint.now), ("beginning", .beginning), ("17", .offset(17)),
        ("1970-01-01T00:00:01Z", .time(Timestamp(seconds: 1))),
    ]

    @Test(arguments: sinksStartAtFourKindsOfPlacesCases)
    func sinksStartAtFourKindsOfPlaces(text: String, expected: Settings.StartPoint) throws {
        #expect(try harness.settings(Good.webhook("from: \(text)")).webhooks.first?.from == expected)
        #expect(
            try harness.settings("relay: {name: a}\nkafka: {brokers: h, from: \(text)}").kafka?.from
                == expected)
    }

    static let retryIsAScheduleOrAGrowingWaitCases: [(String, Settings.Retry.Plan, Double)] = [
        ("schedule: [1s, 2m], jitter: 0", Settings.Retry.Plan.schedule([.seconds(1), .seconds(120)]), 0.0),
        ("schedule: []", .schedule([]), 0.2),
        ("jitter: 1", Settings.Retry().plan, 1.0),
        (
            "initial: 1s",
            .exponential(
                initial: .seconds(1), factor: 2, max: .seconds(3600), giveUpAfter: .seconds(259_200)),
            0.2
        ),
        (
            "initial: 2s, factor: 1.5, max: 1m, give_up_after: 1h, jitter: 0.5",
            .exponential(initial: .seconds(2), factor: 1.5, max: .seconds(60), giveUpAfter: .seconds(3600)),
            0.5
        ),
    ]

    @Test(arguments: retryIsAScheduleOrAGrowingWaitCases)
    func retryIsAScheduleOrAGrowingWait(fields: String, plan: Settings.Retry.Plan, jitter: Double) throws {
        let retry = try harness.settings(Good.webhook("retry: {\(fields)}")).webhooks.first?.retry
        #expect(retry?.plan == plan)
        #expect(retry?.jitter == jitter)
    }

    @Test func everyFieldOfAWebhookArrives() throws {
        let webhook = try #require(
            try harness.settings(
                Good.webhook(
                    """
                    events: [visit.*], accounts: [t*], mode: structured, order: key, headers: {X-One: "1"}, timeout: 1s,
                    concurrency: 2, rate: 0.5, batch: 10, compress: gzip, disabled: true, disable_after: 1d,
                    tls: {ca: /ca, certificate: /cert, key: /key}, auth: {username: u, password: p},
                    proxy: "http://proxy:3128", handshake: true
                    """)
            ).webhooks.first)
        #expect(webhook.events.map(\.text) == ["visit.*"])
        #expect(webhook.accounts.map(\.text) == ["t*"])
        #expect(webhook.order == .key)
        #expect(webhook.headers == ["X-One": Secret("1")])
        #expect(webhook.timeout == .seconds(1))
        #expect(webhook.concurrency == 2)
        #expect(webhook.rate == 0.5)
        #expect(webhook.batch == 10)
        #expect(webhook.compress == .gzip)
        #expect(webhook.disabled && webhook.handshake)
        #expect(webhook.disableAfter == .seconds(86_400))
        #expect([webhook.tls.ca, webhook.tls.certificate, webhook.tls.key] == ["/ca", "/cert", "/key"])
        #expect(webhook.auth == .basic(username: "u", password: Secret("p")))
        #expect(webhook.proxy == "http://proxy:3128")
    }

    @Test func severalSecretsKeepTheirOrder() throws {
        let key = "whsk_" + String(repeating: "A", count: 86) + "=="
        let settings = try harness.settings(
            """
            relay: {name: a}
            webhooks: [{name: h, url: "http://example.com", secrets: [\(key), \(ConfigurationHarness.signingSecret)]}]
            """)
        #expect(
            settings.webhooks.first?.secrets == [Secret(key), Secret(ConfigurationHarness.signingSecret)])
    }

    static let loopbackNeedsNoTokenCases: [(String, String, UInt16)] = [
        ("127.0.0.1:8080", "127.0.0.1", UInt16(8080)), ("localhost:1", "localhost", 1),
        ("'[::1]:0'", "::1", 0),
        ("127.9.9.9:65535", "127.9.9.9", 65_535),
    ]

    @Test(arguments: loopbackNeedsNoTokenCases)
    func loopbackNeedsNoToken(listen: String, host: String, port: UInt16) throws {
        let http = try harness.settings("relay: {name: a}\nhttp: {listen: \(listen)}").http
        #expect(http?.host == host)
        #expect(http?.port == port)
    }

    @Test func beyondLoopbackATokenIsEnough() throws {
        let settings = try harness.settings(
            """
            relay: {name: a}
            http:
              listen: 0.0.0.0:80
              tls: {certificate: /cert, key: /key}
              tokens: [{name: ops, token: 0123456789abcdef, scope: admin}]
              allow_private_endpoints: true
            """)
        let http = try #require(settings.http)
        #expect(http.tokens == [.init(name: "ops", token: Secret("0123456789abcdef"), scope: .admin)])
        #expect(http.certificate == "/cert")
        #expect(http.allowPrivateEndpoints)
    }

    @Test func aliasesShareWhatIsWrittenOnce() throws {
        let settings = try harness.settings(
            "relay: {name: a}\nkafka: {brokers: h, events: &e [visit.*]}\n"
                + "webhooks: [{name: h, url: 'http://example.com', events: *e, secret: \(ConfigurationHarness.signingSecret)}]"
        )
        #expect(settings.webhooks.first?.events == settings.kafka?.events)
    }

    @Test func baseURLsLoseTheirLastSlashes() throws {
        let account = "{name: t, vendor: tanma, app_id: i, app_key: k, base_url: 'http://127.0.0.1:9/api//'}"
        let settings = try harness.settings("relay: {name: a}\naccounts: [\(account)]")
        #expect(settings.accounts.first?.baseURL == "http://127.0.0.1:9/api")
    }

    /// One of everything, each key at its simplest place.
    @Test func aWholeRelayIsAConfiguration() throws {
        let settings = try harness.settings(
            """
            relay: {name: acme, shutdown: 30s}
            store: {url: sqlite:./data/millrace.db, retention: 30d, dedup_retention: 90d}
            accounts:
              - name: acme-tanma
                vendor: tanma
                base_url: https://account.tanmarket.cn/apiServer
                app_id: ww0123456789abcdef_Demo01
                app_key: key
                send_app_key_header: false
                requests_per_second: 1
                timeout: 30s
                ca_file: /ca
              - {name: acme-weiban, vendor: weiban, corp_id: "1704174310933890049", secret: s}
            sources:
              - name: visits
                account: acme-tanma
                kind: tanma.visits
                every: 30s
                start: 2026-11-01T00:00:00+08:00
                page_size: 100
                lag: 10s
                overlap: 10m
                sweeps: [{every: 1h, span: 2h}, {every: 1d, span: 2d}, {every: 7d, span: all}]
                max_age: 24h
                customers_since: 2015-01-01T00:00:00+08:00
                staff_parameter: userId
            kafka:
              brokers: localhost:9092
              topic_properties: {retention.ms: 604800000}
              events: ["*"]
              properties: {compression.type: lz4, security.protocol: SASL_SSL}
            webhooks:
              - name: crm-sync
                url: https://crm.example.com/hooks/millrace
                events: [visit.*, customer.outflowed]
                secret: \(ConfigurationHarness.signingSecret)
            http:
              listen: 127.0.0.1:8080
              tls: {certificate: /cert, key: /key}
              tokens:
                - {name: ops, token: 0123456789abcdef, scope: admin}
            privacy: {mobile: keep, key: \(ConfigurationHarness.privacyKey)}
            log: {level: info, format: json}
            """)
        #expect(settings.sources.first?.sweeps.last == .init(every: .seconds(604_800), span: nil))
        #expect(settings.accounts.last?.corpID == "1704174310933890049")
        #expect(settings.kafka?.properties.keys.sorted() == ["compression.type", "security.protocol"])
    }
}
