import CSQLite

/// One connection to one SQLite database file, with its cached statements.
///
/// Not `Sendable`: whoever owns it keeps it on one queue (SQLite is opened without its own mutex). Statements are
/// prepared once per text and finalized in `deinit`, before the connection closes, as sqlite3_close(3) asks.
package final class Connection {
    /// How a connection may use the file.
    package enum Access: Sendable {
        /// Creates the file when it is missing.
        case readWrite
        /// The file must exist; in WAL mode this reads beside a writer and never blocks it.
        case readOnly
    }

    private let handle: OpaquePointer
    /// By the address of the literal: a static text has one, and hashing a pointer is cheaper than hashing SQL.
    private var statements: [UnsafePointer<UInt8>: Statement] = [:]

    /// Opens the file. On failure SQLite still hands back a handle, which is closed before the error is thrown.
    /// - Parameter busyTimeout: how long a call waits for another process's lock.
    package init(path: String, access: Access, busyTimeout: Duration) throws(DatabaseError) {
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
            case .readOnly: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
            }
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let error = DatabaseError(code: code, handle: handle, doing: "open \(path)")
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
        sqlite3_extended_result_codes(handle, 1)
        let milliseconds =
            busyTimeout.components.seconds * 1000
            + busyTimeout.components.attoseconds / 1_000_000_000_000_000
        sqlite3_busy_timeout(handle, Int32(milliseconds))
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// Runs one or more statements that yield nothing, outside the cache: schema and pragmas.
    package func execute(script: String) throws(DatabaseError) {
        let code = sqlite3_exec(handle, script, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw DatabaseError(code: code, handle: handle, doing: "run a script of the store")
        }
    }

    /// Runs a statement to its end and drops what it yields.
    package func run(_ sql: StaticString, _ values: Value...) throws(DatabaseError) {
        try forEach(sql, values) { _ in false }
    }

    /// The first row a statement yields, turned into a value while the row is still valid; nil when there is none.
    package func first<T>(
        _ sql: StaticString, _ values: Value..., read: (borrowing Row) -> T
    ) throws(DatabaseError) -> T? {
        var result: T?
        try forEach(sql, values) { row in
            result = read(row)
            return false
        }
        return result
    }

    /// Every row a statement yields, turned into values in order.
    package func all<T>(
        _ sql: StaticString, _ values: Value..., read: (borrowing Row) -> T
    ) throws(DatabaseError) -> [T] {
        var result: [T] = []
        try forEach(sql, values) { row in
            result.append(read(row))
            return true
        }
        return result
    }

    /// Steps through a statement's rows until `each` says false. A statement in use is not reentrant.
    package func forEach(
        _ sql: StaticString, _ values: [Value], each: (borrowing Row) -> Bool
    ) throws(DatabaseError) {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() {
            if !each(Row(statement: statement.pointer)) { return }
        }
    }

    /// Whether a transaction is open. One that failed may be over already: SQLite ends it by itself on a full disk.
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Undoes the open transaction, if there still is one. For the way out of an error, which it never covers up: a
    /// rollback that fails leaves nothing to undo.
    package func rollBack() {
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    /// Rows changed by the latest insert, update or delete.
    package var changes: Int {
        Int(sqlite3_changes64(handle))
    }

    private func prepared(_ sql: StaticString) throws(DatabaseError) -> Statement {
        if let known = statements[sql.utf8Start] { return known }
        let statement = try Statement("\(sql)", connection: handle)
        statements[sql.utf8Start] = statement
        return statement
    }
}
