import Foundation

/// Signs webhook deliveries as Standard Webhooks 1.0.0 asks, over `{id}.{timestamp}.{body}`.
///
///     v1    HMAC-SHA256; secret `whsec_` and base64 of 24 to 64 bytes
///     v1a   ed25519; secret `whsk_` and base64 of the private 32 bytes and the public 32 bytes
///
/// Called by the webhook sink for every attempt, and by receivers in demo and tests to verify.
package struct WebhookSigner: Sendable {
    private enum Key: Sendable {
        case symmetric(HMACKey)
        case ed25519(Ed25519Key)
    }

    private let key: Key

    /// Nil unless the secret has one of the two forms.
    package init?(secret: String) {
        guard let split = secret.firstIndex(of: "_"),
            let data = Data(base64Encoded: String(secret[secret.index(after: split)...]))
        else { return nil }
        switch secret[...split] {
        case "whsec_":
            guard (24...64).contains(data.count) else { return nil }
            key = .symmetric(HMACKey([UInt8](data)))
        case "whsk_":
            guard data.count == 64, let pair = Ed25519Key(privateKey: [UInt8](data.prefix(32))),
                pair.publicKey == [UInt8](data.suffix(32))
            else { return nil }
            key = .ed25519(pair)
        default:
            return nil
        }
    }

    /// The header's value for this secret: the version, a comma and base64.
    /// - Parameters:
    ///   - id: `webhook-id`, the same on every attempt.
    ///   - timestamp: `webhook-timestamp`, Unix seconds of this attempt.
    ///   - body: the bytes that are sent, before any content-encoding.
    package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let head = Self.head(id, timestamp)
        switch key {
        case .symmetric(let key):
            return base64(key.code(head, body), after: "v1,")
        case .ed25519(let pair):
            return base64(pair.sign(Array(head.utf8) + body), after: "v1a,")
        }
    }

    private static func head(_ id: String, _ timestamp: Int64) -> String {
        var head = ""
        head.reserveCapacity(id.utf8.count + 24)
        head += id
        head += "."
        head += String(timestamp)
        head += "."
        return head
    }

    /// Whether any of the space-separated signatures in `header` is this secret's, compared in constant time. Both
    /// schemes are deterministic, so signing again is verifying.
    package func verifies(_ header: String, id: String, timestamp: Int64, body: [UInt8]) -> Bool {
        let expected = Array(signature(id: id, timestamp: timestamp, body: body).utf8)
        return header.split(separator: " ").contains { Digest.areEqual(Array($0.utf8), expected) }
    }
}
