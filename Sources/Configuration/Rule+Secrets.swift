import Foundation
import Services

extension Rule where Output == Secret {
    /// Any text of one line that is not empty, never shown.
    static func secret(_ allowed: String) -> Rule {
        Rule(allowed, isSecret: true) { text in
            if let refusal = lineRefusal(text) { return .refused(refusal) }
            return .accepted(Secret(text))
        }
    }

    /// Any text that fits a header or a Kafka property, also an empty one.
    static func opaque(_ allowed: String) -> Rule {
        Rule(allowed, isSecret: true) { text in
            if !text.isEmpty, let refusal = lineRefusal(text) { return .refused(refusal) }
            return .accepted(Secret(text))
        }
    }

    /// A value of a librdkafka property, where certificates in PEM have lines.
    static var propertyValue: Rule {
        Rule("a value", isSecret: true) { text in
            text.unicodeScalars.contains("\0") ? .refused("has control characters") : .accepted(Secret(text))
        }
    }

    /// Standard Webhooks' two kinds of signing secret.
    static var webhookSecret: Rule {
        Rule("whsec_ and base64 of 24 to 64 bytes, or whsk_ and base64 of 64 bytes", isSecret: true) { text in
            if text.hasPrefix("whsec_") {
                let count = Data(base64Encoded: String(text.dropFirst(6)))?.count ?? 0
                return (24...64).contains(count)
                    ? .accepted(Secret(text)) : .refused("is not a signing secret")
            }
            let isKey = text.hasPrefix("whsk_") && Data(base64Encoded: String(text.dropFirst(5)))?.count == 64
            return isKey ? .accepted(Secret(text)) : .refused("is not a signing secret")
        }
    }

    /// Sixteen characters are hard to guess only when they are random, but shorter ones never are.
    static var token: Rule {
        Rule("at least 16 printable ASCII characters without spaces", isSecret: true) { text in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                return .refused("has characters that a header cannot carry")
            }
            return text.utf8.count >= 16 ? .accepted(Secret(text)) : .refused("is too short")
        }
    }

    static var privacyKey: Rule {
        Rule("64 hexadecimal digits", isSecret: true) { text in
            let isKey =
                text.utf8.count == 64
                && text.utf8.allSatisfy { $0.isDigit || "abcdefABCDEF".utf8.contains($0) }
            return isKey ? .accepted(Secret(text)) : .refused("is not a key")
        }
    }
}
