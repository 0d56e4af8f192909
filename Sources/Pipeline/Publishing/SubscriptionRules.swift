import Foundation
import Services
import Signing

/// What a subscription made at run time must be, as `check` asks it of configured ones. Pure.
enum SubscriptionRules {
    static func check(_ subscription: Subscription) throws(BookError) {
        try require("name", isName(subscription.name), "is 1 to 64 letters, digits, -, _ or .")
        try checkURL(subscription.url)
        try require("events", !subscription.events.isEmpty, "is a list of at least one pattern")
        try require(
            "accounts", subscription.accounts?.isEmpty != true, "is a list of at least one pattern")
        for secret in subscription.secrets {
            try checkSecret(secret.secret.reveal())
        }
        try require("concurrency", (1...1024).contains(subscription.concurrency), "is 1 to 1024")
        try require("batch", (1...1000).contains(subscription.batch), "is 1 to 1000")
        try fit("batch", subscription.batch == 1 || subscription.mode == .structured, "needs mode structured")
        try require(
            "rate", subscription.rate.map { $0 > 0 && $0 <= 100_000 } ?? true, "is above 0, at most 100000")
        try require("timeout", subscription.timeout > .zero, "is above 0")
        try require("disable_after", subscription.disableAfter > .zero, "is above 0")
        try checkTLS(subscription.tls)
        try checkHeaders(subscription)
        if let proxy = subscription.proxy { try checkProxy(proxy) }
    }

    static func checkURL(_ text: String) throws(BookError) {
        let parts = address(text, schemes: ["http", "https"])
        try require(
            "url", parts != nil && parts?.fragment == nil,
            "is http:// or https:// with a host, without fragment")
        try require("url", parts?.user == nil && parts?.password == nil, "has no user and no password in it")
    }

    private static func checkProxy(_ text: String) throws(BookError) {
        let parts = address(text, schemes: ["http"])
        let isPlain = parts.map { $0.user == nil && $0.query == nil && ["", "/"].contains($0.path) } ?? false
        try require("proxy", isPlain, "is http://HOST:PORT")
    }

    private static func address(_ text: String, schemes: [String]) -> URLComponents? {
        guard isPrintable(text, atMost: 2048),
            let parts = URLComponents(string: text, encodingInvalidCharacters: false),
            let scheme = parts.scheme?.lowercased(), schemes.contains(scheme),
            let host = parts.host, !host.isEmpty, (1...65_535).contains(parts.port ?? 1)
        else { return nil }
        return parts
    }

    private static func checkTLS(_ tls: Subscription.TLSFiles) throws(BookError) {
        let pair = (tls.certificate != nil, tls.key != nil)
        try fit("tls", pair.0 == pair.1, "has certificate and key, or neither")
        for (field, file) in [("ca", tls.ca), ("certificate", tls.certificate), ("key", tls.key)] {
            guard let file else { continue }
            let canBeRead = !file.contains("\0") && FileManager.default.isReadableFile(atPath: file)
            try fit("tls.\(field)", canBeRead, "is no file that the relay can read")
        }
    }

    private static func checkHeaders(_ subscription: Subscription) throws(BookError) {
        var seen: Set<String> = []
        for (name, value) in subscription.headers.sorted(by: { $0.key < $1.key }) {
            let field = "headers.\(name)"
            try require(field, isHeaderName(name), "has a name of letters, digits, - and _")
            try fit(field, !ownHeaders.contains(name.lowercased()), "belongs to the relay")
            try fit(field, seen.insert(name.lowercased()).inserted, "is there in another spelling")
            let text = value.reveal()
            try require(field, text.isEmpty || isPrintable(text, atMost: 4096), "is printable ASCII")
        }
        try fit(
            "auth", subscription.auth == nil || !seen.contains("authorization"),
            "stands beside headers.authorization: one of them")
        try checkAuthentication(subscription.auth)
    }

    private static func checkAuthentication(_ auth: Subscription.Authentication?) throws(BookError) {
        switch auth {
        case nil: break
        case .bearer(let token):
            let text = token.reveal()
            try require(
                "auth.bearer", isPrintable(text, atMost: 4096) && !text.contains(" "),
                "is printable ASCII without spaces")
        case .basic(let username, let password):
            try require(
                "auth.username", isPrintable(username, atMost: 256) && !username.contains(":"),
                "is printable ASCII without a colon")
            try require("auth.password", isPrintable(password.reveal(), atMost: 1024), "is printable ASCII")
        }
    }

    private static func checkSecret(_ secret: String) throws(BookError) {
        guard WebhookSigner(secret: secret) == nil else { return }
        let bytes = secret.hasPrefix("whsk_") ? Data(base64Encoded: String(secret.dropFirst(5))) : nil
        try fit("secret", bytes?.count != 64, "has a public half that does not belong to its private half")
        throw BookError(
            field: "secret",
            "is neither whsec_ and base64 of 24 to 64 bytes, nor whsk_ and base64 of 64 bytes")
    }

    /// Headers that every delivery has already, or that the transport and the receiver agree on between them.
    private static let ownHeaders: Set<String> = [
        "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "host",
        "user-agent", "traceparent", "millrace-replay", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    ]

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isHeaderName(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy(isWordByte)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// No control characters: what goes into a header must not become two.
    private static func isPrintable(_ text: String, atMost limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// What can be judged by itself.
    private static func require(_ field: String, _ holds: Bool, _ rule: String) throws(BookError) {
        if !holds { throw BookError(field: field, rule) }
    }

    /// What depends on other fields, or on this machine.
    private static func fit(_ field: String, _ holds: Bool, _ rule: String) throws(BookError) {
        if !holds { throw BookError(.inconsistent, field: field, rule) }
    }
}
