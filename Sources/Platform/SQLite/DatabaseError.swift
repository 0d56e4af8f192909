import CSQLite

/// What SQLite refused, what it was doing, and why. Never holds a bound value.
package struct DatabaseError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Another connection holds the lock longer than the busy timeout.
        case busy
        /// No room, an I/O error or a read-only file: may pass when the cause is gone.
        case storage
        /// The file is damaged.
        case corrupt
        /// The file is no SQLite database.
        case notADatabase
        /// A unique key exists already.
        case constraint
        case cannotOpen
        case other(Int32)
    }

    package let kind: Kind
    package let doing: String
    package let cause: String

    package var description: String { "\(doing): \(cause)" }

    /// Reads SQLite's own message at once, in the same stretch as the failed call.
    init(code: Int32, handle: OpaquePointer?, doing: String) {
        self.doing = doing
        cause = String(cString: handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
        kind =
            switch code & 0xFF {
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY: .storage
            case SQLITE_CORRUPT: .corrupt
            case SQLITE_NOTADB: .notADatabase
            case SQLITE_CONSTRAINT: .constraint
            case SQLITE_CANTOPEN: .cannotOpen
            default: .other(code)
            }
    }
}

extension DatabaseError {
    /// For a writer whose transaction SQLite has ended because the disk failed under it.
    package init(rolledBack doing: String, cause: String) {
        (kind, self.doing, self.cause) = (.storage, doing, cause)
    }

    /// For a reader that finds what a sound file cannot hold.
    package init(corrupt doing: String, cause: String) {
        (kind, self.doing, self.cause) = (.corrupt, doing, cause)
    }
}
