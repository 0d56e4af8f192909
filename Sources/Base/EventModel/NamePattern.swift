/// A pattern over event types or account names: `*`, a prefix `visit.*`, or an exact name (contract, section 6).
package struct NamePattern: Sendable, Hashable, Codable {
    package let text: String

    /// Nil when the text is empty or has a `*` anywhere but as its last character.
    package init?(_ text: String) {
        guard !text.isEmpty, !text.dropLast().contains("*") else { return nil }
        self.text = text
    }

    package func matches(_ name: String) -> Bool {
        text.last == "*" ? name.hasPrefix(text.dropLast()) : name == text
    }
}

extension [NamePattern] {
    /// Whether any pattern matches; an empty list matches nothing.
    package func match(_ name: String) -> Bool {
        contains { $0.matches(name) }
    }
}
