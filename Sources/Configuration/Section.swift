import Services
import YAML

/// Reads one mapping of the file, key by key.
///
/// Every key a part asks for becomes a known one, whether it is given or not; what is left in the end is unknown.
/// A key that is absent, or null, leaves the default; one that is wrong leaves it too and is reported.
struct Section {
    let path: String
    let reading: Reading
    private let entries: [String: YAMLNode]
    private let order: [YAMLNode]
    private var known: [String] = []

    private init(path: String, reading: Reading, entries: [YAMLNode.Entry]) {
        (self.path, self.reading) = (path, reading)
        var first: [String: YAMLNode] = [:]
        var keys: [YAMLNode] = []
        for entry in entries {
            guard let text = entry.key.text else {
                keys.append(entry.key)
                continue
            }
            if first[text] == nil {
                first[text] = entry.value
                keys.append(entry.key)
            }
        }
        (self.entries, order) = (first, keys)
    }

    /// Reads a mapping with `body`, then reports what it did not ask for; nil when it is no mapping.
    static func read<Output>(
        _ node: YAMLNode, at path: String, in reading: Reading, _ body: (inout Section) -> Output
    ) -> Output? {
        guard case .mapping(let entries) = node.kind else {
            reading.refuse(path, "\(node.found) instead of a mapping", "allowed: key: value pairs")
            return nil
        }
        var section = Section(path: path, reading: reading, entries: entries)
        for entry in entries {
            if let key = entry.key.text, isPlain(key) {
                reading.saw(section.child(key), line: entry.key.line)
            }
        }
        let output = body(&section)
        section.reportUnknown()
        section.reportDuplicates(node)
        return output
    }

    /// The dotted path of a key of this section.
    func child(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// Whether a key is there and not null; makes it a known one.
    mutating func isGiven(_ key: String) -> Bool {
        node(key) != nil
    }

    /// Reports these keys if they are there, as known ones that have no place here.
    mutating func forbid(_ keys: [String], _ message: String, _ allowed: String) {
        for key in keys where isGiven(key) { reading.refuse(child(key), message, allowed) }
    }

    func refuse(_ key: String, _ message: String, _ allowed: String) {
        reading.refuse(child(key), message, allowed)
    }

    /// The node of a key that is there and not null; makes the key a known one.
    mutating func node(_ key: String) -> YAMLNode? {
        if !known.contains(key) { known.append(key) }
        guard let node = entries[key], !node.isNull else { return nil }
        return node
    }

    /// All entries, for parts whose keys are free; makes them all known ones.
    mutating func freeEntries() -> [(key: String, node: YAMLNode)] {
        order.compactMap { key in
            guard let text = key.text, let node = entries[text], Self.isPlain(text) else { return nil }
            known.append(text)
            return (text, node)
        }
    }

    /// Whether a key can be shown: `{secret:abc}`, with the space forgotten, is a key that is a secret.
    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 64
            && key.utf8.allSatisfy { $0.isLetter || $0.isDigit || "_-.".utf8.contains($0) }
    }

    private func reportUnknown() {
        for key in order {
            guard let text = key.text, Self.isPlain(text) else {
                reading.refuse(
                    path, line: key.line, "a key is not a plain name",
                    "allowed: letters, digits and _-. and a space after the colon")
                continue
            }
            guard !known.contains(text) else { continue }
            let allowed =
                Nearest.name(to: text, among: known).map { "the nearest known key is \($0)" }
                ?? "allowed: \(known.joined(separator: ", "))"
            reading.refuse(child(text), line: key.line, "unknown key", allowed)
        }
    }

    private func reportDuplicates(_ node: YAMLNode) {
        for (key, firstLine) in node.duplicateKeys {
            let isShown = Self.isPlain(key.text ?? "")
            reading.refuse(
                isShown ? child(key.text ?? "") : path, line: key.line,
                "the key is on line \(firstLine) already",
                "allowed: every key once")
        }
    }
}
