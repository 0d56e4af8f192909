import SQLite

/// What the log could not do, and why. Safe to show: no event, row or secret is in it.
package struct LogError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Another relay holds the store (exit code 75).
        case inUse
        /// The file belongs to a newer Millrace, or is no store of Millrace at all (exit code 2).
        case foreign
        /// There is no store at this path.
        case missing
        /// No room, an I/O error, a lock held too long: may pass by itself.
        case storage
        /// The file is damaged.
        case corrupt
        /// A bug or a state the log never writes.
        case other
    }

    package let kind: Kind
    package let doing: String
    package let cause: String

    package init(_ kind: Kind, doing: String, cause: String) {
        (self.kind, self.doing, self.cause) = (kind, doing, cause)
    }

    /// Whether the same call may succeed later.
    package var isTransient: Bool { kind == .storage }

    package var description: String { "\(doing): \(cause)" }

    init(_ error: DatabaseError, doing: String) {
        self.doing = doing
        cause = error.description
        kind =
            switch error.kind {
            case .busy, .storage: .storage
            case .corrupt: .corrupt
            case .notADatabase: .foreign
            case .cannotOpen: .missing
            case .constraint, .other: .other
            }
    }
}
