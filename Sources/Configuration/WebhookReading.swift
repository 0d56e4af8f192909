import EventModel
import Services

extension Section {
    /// Headers that every delivery has already, or that curl and the receiver agree on between them.
    private static let ownHeaders: Set<String> = [
        "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "host",
        "user-agent",
        "traceparent", "millrace-replay", "webhook-id", "webhook-timestamp", "webhook-signature",
    ]

    /// Reads one of `webhooks`.
    mutating func webhook() -> Settings.Webhook {
        var webhook = Settings.Webhook()
        require("name", .name, into: &webhook.name)
        require("url", .endpoint, into: &webhook.url)
        takeEvents(into: &webhook.events)
        takeList("accounts", of: .pattern, isEmptyAllowed: false, into: &webhook.accounts)
        readSecrets(into: &webhook.secrets)
        take("from", .startPoint, into: &webhook.from)
        take("mode", .oneOf(Settings.Mode.allCases), into: &webhook.mode)
        take("order", .oneOf(Settings.Order.allCases), into: &webhook.order)
        readHeaders(into: &webhook.headers)
        take("timeout", .duration, into: &webhook.timeout)
        if let retry = subsection("retry", { $0.retry() }) { webhook.retry = retry }
        take("concurrency", .integer(1...1024), into: &webhook.concurrency)
        take("rate", .number(above: 0, upTo: 100_000), into: &webhook.rate)
        readBatch(into: &webhook)
        take("compress", .oneOf(Settings.Compression.allCases), into: &webhook.compress)
        take("disabled", .flag, into: &webhook.disabled)
        take("disable_after", .duration, into: &webhook.disableAfter)
        if let tls = subsection("tls", { $0.clientTLS() }) { webhook.tls = tls }
        webhook.auth = subsection("auth") { $0.authentication() } ?? nil
        refuseTwoAuthorizations(webhook)
        take("proxy", .proxy, into: &webhook.proxy)
        take("handshake", .flag, into: &webhook.handshake)
        return webhook
    }

    private mutating func readSecrets(into secrets: inout [Secret]) {
        let hasList = isGiven("secrets")
        takeList("secrets", of: .webhookSecret, isEmptyAllowed: false, into: &secrets)
        if hasList {
            forbid(["secret"], "stands beside secrets", "either secret or secrets")
        } else {
            var secret = Secret("")
            require("secret", .webhookSecret, into: &secret)
            secrets = [secret]
        }
    }

    private mutating func readHeaders(into headers: inout [String: Secret]) {
        takePairs("headers", of: .opaque("a header's value of one line"), into: &headers)
        for name in headers.keys.sorted() {
            if name.contains(".") {
                refuse("headers.\(name)", "is not a header's name", "allowed: letters, digits, - and _")
            } else if Self.ownHeaders.contains(name.lowercased()) {
                refuse("headers.\(name)", "belongs to the relay", "allowed: any other header")
            }
        }
        var seen: Set<String> = []
        for name in headers.keys.sorted() where !seen.insert(name.lowercased()).inserted {
            refuse("headers.\(name)", "is there in another spelling", "allowed: every header once")
        }
    }

    private mutating func readBatch(into webhook: inout Settings.Webhook) {
        take("batch", .integer(1...1000), into: &webhook.batch)
        if webhook.batch > 1, webhook.mode != .structured {
            refuse("batch", "needs mode structured", "allowed: 1, or mode structured")
        }
    }

    private func refuseTwoAuthorizations(_ webhook: Settings.Webhook) {
        guard webhook.auth != nil,
            webhook.headers.keys.contains(where: { $0.lowercased() == "authorization" })
        else {
            return
        }
        refuse("auth", "stands beside an authorization header", "either auth or headers.authorization")
    }

    private mutating func clientTLS() -> Settings.ClientTLS {
        var tls = Settings.ClientTLS()
        takeFile("ca", into: &tls.ca)
        takeFile("certificate", into: &tls.certificate)
        takeFile("key", into: &tls.key)
        refuseHalfPair()
        return tls
    }

    /// A certificate without its key proves nothing, and the other way round.
    mutating func refuseHalfPair() {
        let (hasCertificate, hasKey) = (isGiven("certificate"), isGiven("key"))
        if hasCertificate, !hasKey { refuse("key", "is missing", "certificate and key go together") }
        if hasKey, !hasCertificate { refuse("certificate", "is missing", "certificate and key go together") }
    }

    private mutating func authentication() -> Settings.Authentication? {
        let forms = "either bearer, or username and password"
        guard isGiven("bearer") else {
            guard isGiven("username") || isGiven("password") else {
                reading.refuse(path, "is empty", forms)
                return nil
            }
            var username = ""
            var password = Secret("")
            require("username", .text("a text without a colon", isSecret: true), into: &username)
            // The colon ends the user's name in the header.
            if username.contains(":") { refuse("username", "has a colon", "allowed: a text without a colon") }
            require("password", .secret("a password"), into: &password)
            return .basic(username: username, password: password)
        }
        forbid(["username", "password"], "stands beside bearer", forms)
        return value("bearer", .secret("a token")).map { .bearer($0) }
    }
}
