/// One node of a YAML document: what it is and where it stands, so that a complaint can name its line.
///
/// The room reads text into a tree and nothing more: no types are guessed (`5` and `"5"` are both the text `5`), no
/// key is looked for. Anchors and aliases are resolved; tags and merge keys are not part of what we read.
///
///     text ──▶ YAMLParser (libyaml's events) ──▶ YAMLComposer (bounds, anchors) ──▶ YAMLNode
package struct YAMLNode: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A text; quoted tells `"null"` from `null`.
        case scalar(text: String, isQuoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; a repeated key is kept, see `duplicateKeys`.
        case mapping([Entry])
    }

    package struct Entry: Sendable, Equatable {
        package let key: YAMLNode
        package let value: YAMLNode

        package init(key: YAMLNode, value: YAMLNode) {
            (self.key, self.value) = (key, value)
        }
    }

    package let kind: Kind
    /// Counted from 1. A node behind an alias has the line of its anchor.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int

    package init(kind: Kind, line: Int, column: Int) {
        (self.kind, self.line, self.column) = (kind, line, column)
    }

    /// Reads a text of one document; an empty one is an empty mapping.
    ///
    /// Repeated keys do not throw, since a reader wants to report them with everything else it finds.
    package static func parse(_ text: String) throws(YAMLError) -> YAMLNode {
        let parser = try YAMLParser(text)
        var composer = YAMLComposer(parser: parser)
        return try composer.document()
    }

    /// Whether this is an unquoted nothing: empty, `~` or `null`.
    package var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = kind else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar; nil for a sequence or a mapping.
    package var text: String? {
        guard case .scalar(let text, _) = kind else { return nil }
        return text
    }

    /// The keys of a mapping that were given before in it, each with the line of its first appearance.
    package var duplicateKeys: [(key: YAMLNode, firstLine: Int)] {
        guard case .mapping(let entries) = kind else { return [] }
        var first: [String: Int] = [:]
        var repeated: [(key: YAMLNode, firstLine: Int)] = []
        for entry in entries {
            guard let text = entry.key.text else { continue }
            if let line = first[text] {
                repeated.append((entry.key, line))
            } else {
                first[text] = entry.key.line
            }
        }
        return repeated
    }
}
