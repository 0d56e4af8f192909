/// A relay's configuration file, as far as these tests vary it: fast, and otherwise like anybody's.
struct RelayConfiguration: Sendable {
    struct Account: Sendable {
        var name = "acme-tanma"
        let baseURL: String
        /// Goes into the file as it stands: `${TANMA_APP_KEY}` is set by the harness.
        var appKey = "${TANMA_APP_KEY}"
        var source = "visits"
        var kind = "tanma.visits"
        var sweeps = "[]"
        var isWeiban = false
    }

    struct Webhook: Sendable {
        var name = "crm"
        let url: String
        var retry = "{schedule: [200ms, 400ms, 800ms, 1s, 2s, 4s], jitter: 0}"
        var timeout = "10s"
        /// More fields, as they stand in the file.
        var more = ""
    }

    var accounts: [Account]
    var webhooks: [Webhook] = []
    var kafkaBrokers: String?
    var delivery = "exactly_once"
    /// As they stand in the file.
    var kafkaProperties = "{}"
    /// The API's port; nil serves none, or any port where webhooks need the rest of `http`.
    var httpPort: Int?
    /// Names and scopes of tokens; a token is `made-up-token-of-NAME`.
    var tokens: [(name: String, scope: String)] = []
    var shutdown = "10s"
    var overlap = "30s"
    var store = "sqlite:./data/millrace.db"
    var logFormat = "text"
    var allowsPrivateEndpoints = true

    /// Before the vendor's own sample rows.
    static let start = "2021-08-01T00:00:00+08:00"

    static func token(_ name: String) -> String { "made-up-token-of-\(name)" }

    var yaml: String {
        var lines = [
            "relay: {name: acme, shutdown: \(shutdown)}", "store: {url: \"\(store)\"}",
            "log: {level: info, format: \(logFormat)}", "accounts:",
        ]
        for account in accounts {
            let vendor = account.isWeiban ? "weiban" : "tanma"
            lines.append("  - {name: \(account.name), vendor: \(vendor), base_url: \"\(account.baseURL)\",")
            lines.append(
                account.isWeiban
                    ? "     corp_id: \"1704174310933890049\", secret: demoWeibanSecret, requests_per_second: 5,"
                    : "     app_id: ww0123456789abcdef_Demo01, app_key: \"\(account.appKey)\", requests_per_second: 50,"
            )
            lines.append("     timeout: 10s}")
        }
        lines.append("sources:")
        for account in accounts {
            lines.append("  - {name: \(account.source), account: \(account.name), kind: \(account.kind),")
            lines.append("     every: 300ms, lag: 1s, overlap: \(overlap), sweeps: \(account.sweeps),")
            lines.append("     start: \"\(Self.start)\"}")
        }
        if let kafkaBrokers {
            lines.append("kafka: {brokers: \"\(kafkaBrokers)\", delivery: \(delivery),")
            lines.append("        properties: \(kafkaProperties)}")
        }
        if httpPort != nil || !webhooks.isEmpty {
            lines.append("http:")
            lines.append("  listen: 127.0.0.1:\(httpPort ?? 0)")
            lines.append("  allow_private_endpoints: \(allowsPrivateEndpoints)")
            if !tokens.isEmpty { lines.append("  tokens:") }
            for (name, scope) in tokens {
                lines.append("    - {name: \(name), token: \(Self.token(name)), scope: \(scope)}")
            }
        }
        if !webhooks.isEmpty { lines.append("webhooks:") }
        for webhook in webhooks {
            lines.append(
                "  - {name: \(webhook.name), url: \"\(webhook.url)\", events: [\"*\"], from: beginning,")
            lines.append(
                "     secret: \"${CRM_SECRET}\", timeout: \(webhook.timeout), retry: \(webhook.retry)\(webhook.more)}"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
