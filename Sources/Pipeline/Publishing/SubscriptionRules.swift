import Foundation
import Services
import Signing

/// What a subscription made at run time must be, as `check` asks it of configured ones. Pure.
enum SubscriptionRules {
    static func check(_ subscription: Subscription) throws(BookError) {
        try require(
            !subscription.name.isEmpty && subscription.name.utf8.count <= 64, "name is 1 to 64 characters")
        try checkURL(subscription.url)
        try require(!subscription.events.isEmpty, "events is a list of at least one pattern")
        try require(subscription.accounts?.isEmpty != true, "accounts is a list of at least one pattern")
        for secret in subscription.secrets {
            try require(
                WebhookSigner(secret: secret.secret.reveal()) != nil,
                "a secret is whsec_ and base64 of 24 to 64 bytes, or whsk_ and base64 of 64 bytes")
        }
        try require((1...1024).contains(subscription.concurrency), "concurrency is 1 to 1024")
        try require((1...1000).contains(subscription.batch), "batch is 1 to 1000")
        try require(
            subscription.batch == 1 || subscription.mode == .structured, "batch needs mode structured")
        try require(
            subscription.rate.map { $0 > 0 && $0 <= 100_000 } ?? true, "rate is above 0, at most 100000")
        try require(subscription.timeout > .zero, "timeout is above 0")
        try require(subscription.disableAfter > .zero, "disable_after is above 0")
        let pair = (subscription.tls.certificate != nil, subscription.tls.key != nil)
        try require(pair.0 == pair.1, "tls.certificate and tls.key go together")
        for name in subscription.headers.keys {
            try require(!ownHeaders.contains(name.lowercased()), "the header \(name) belongs to the relay")
        }
    }

    static func checkURL(_ text: String) throws(BookError) {
        let parts = URLComponents(string: text, encodingInvalidCharacters: false)
        let scheme = parts?.scheme?.lowercased() ?? ""
        try require(
            ["http", "https"].contains(scheme) && !(parts?.host ?? "").isEmpty && parts?.fragment == nil,
            "url is http:// or https:// with a host, without fragment")
        try require(parts?.user == nil && parts?.password == nil, "url has a user or a password in it")
    }

    /// Headers that every delivery has already, or that the transport and the receiver agree on between them.
    private static let ownHeaders: Set<String> = [
        "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "host",
        "user-agent", "traceparent", "millrace-replay", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    ]

    private static func require(_ holds: Bool, _ rule: String) throws(BookError) {
        if !holds { throw BookError(.invalid, rule) }
    }
}
