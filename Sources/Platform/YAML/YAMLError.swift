/// Why a text could not be read as one YAML document. Never holds text of the document.
package struct YAMLError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The text is not YAML.
        case syntax
        /// An alias without an anchor before it.
        case unknownAnchor
        /// More than one document in the text.
        case severalDocuments
        /// A tag such as `!!binary`.
        case tag
        /// Deeper or larger than the bounds, also when only through aliases.
        case tooLarge
        /// libyaml had no memory.
        case memory
    }

    package let kind: Kind
    /// Counted from 1.
    package let line: Int
    /// Counted from 1.
    package let column: Int
    package let cause: String

    package init(kind: Kind, line: Int, column: Int, cause: String) {
        (self.kind, self.line, self.column, self.cause) = (kind, line, column, cause)
    }

    package var description: String { "line \(line), column \(column): \(cause)" }
}
