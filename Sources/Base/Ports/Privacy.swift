/// What becomes of personal data before an event is stored, per class (contract, section 2).
///
/// Applied by normalizers to what they publish, and to the rows that quarantine keeps. Pure; the keyed hash is passed in.
package struct Privacy: Sendable {
    package enum Rule: Sendable, Equatable {
        case keep
        /// The first three and last four characters of what is longer than seven; everything else is hidden.
        case mask
        /// HMAC-SHA256 under the configured key, in hex: the same text gives the same hash.
        case hash
        /// Published as null.
        case drop
    }

    /// Which field belongs to which class is said in the contract, section 3.
    package enum Class: Sendable, CaseIterable {
        case mobile, name, avatarURL, note
    }

    private let rules: [Class: Rule]
    private let hash: @Sendable (String) -> String

    /// - Parameter rules: classes that are not named are kept.
    package init(_ rules: [Class: Rule], hash: @escaping @Sendable (String) -> String) {
        (self.rules, self.hash) = (rules, hash)
    }

    package static let keepEverything = Privacy([:], hash: { $0 })

    /// Whether no text is changed at all: then quarantine keeps rows as they came.
    package var keepsEverything: Bool {
        rules.values.allSatisfy { $0 == .keep }
    }

    package func apply(_ text: String?, as kind: Class) -> String? {
        guard let text else { return nil }
        switch rules[kind] ?? .keep {
        case .keep: return text
        case .mask: return Self.masked(text)
        case .hash: return hash(text)
        case .drop: return nil
        }
    }

    /// Each text for itself; a dropped class gives nil.
    package func apply(_ texts: [String], as kind: Class) -> [String]? {
        rules[kind] == .drop ? nil : texts.compactMap { apply($0, as: kind) }
    }

    private static func masked(_ text: String) -> String {
        let count = text.count
        guard count > 7 else { return String(repeating: "*", count: count) }
        return text.prefix(3) + String(repeating: "*", count: count - 7) + text.suffix(4)
    }
}
