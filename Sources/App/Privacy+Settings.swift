import Configuration
import Ports
import Services
import Signing

extension Privacy {
    /// The configured rules; a hash is HMAC-SHA256 under the configured key, in hex.
    init(_ settings: Settings.Privacy) {
        let key = settings.key.map { Self.bytes(hexadecimal: $0.reveal()) } ?? []
        self.init(
            [
                .mobile: Rule(settings.mobile), .name: Rule(settings.name),
                .avatarURL: Rule(settings.avatarURL),
                .note: Rule(settings.note),
            ], hash: { Digest.hmacSHA256(Array($0.utf8), key: key).hexadecimal })
    }

    /// The configuration has been checked: 64 hexadecimal digits.
    private static func bytes(hexadecimal text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension Privacy.Rule {
    init(_ rule: Settings.PrivacyRule) {
        switch rule {
        case .keep: self = .keep
        case .mask: self = .mask
        case .hash: self = .hash
        case .drop: self = .drop
        }
    }
}
