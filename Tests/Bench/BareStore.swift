import CSQLite

/// SQLite by its own functions: the tables of the log, their inserts, one transaction a page, nothing else.
final class BareStore {
    private var handle: OpaquePointer?
    private var event: OpaquePointer?
    private var key: OpaquePointer?

    init(_ path: String) throws {
        guard
            sqlite3_open_v2(
                path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
                == SQLITE_OK
        else { throw BenchFailure("bare SQLite does not open") }
        try run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;")
        try run(
            """
            CREATE TABLE head (one INTEGER PRIMARY KEY, next INTEGER);
            INSERT INTO head VALUES (1, 1);
            CREATE TABLE events (
                offset INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, source INTEGER, type TEXT NOT NULL,
                key TEXT NOT NULL, recorded INTEGER NOT NULL, body BLOB NOT NULL);
            CREATE TABLE dedup (
                source INTEGER NOT NULL, first_id BLOB NOT NULL, revision INTEGER NOT NULL,
                raw BLOB NOT NULL, published BLOB NOT NULL, stored INTEGER NOT NULL, version INTEGER,
                PRIMARY KEY (source, first_id)) WITHOUT ROWID;
            CREATE INDEX dedup_by_age ON dedup (source, stored);
            """)
        event = try prepared("INSERT INTO events VALUES (?1, ?2, 1, 'visit.recorded', ?3, ?4, ?5)")
        key = try prepared("INSERT INTO dedup VALUES (1, ?1, 1, ?2, ?2, ?3, NULL)")
    }

    deinit {
        sqlite3_finalize(event)
        sqlite3_finalize(key)
        sqlite3_close_v2(handle)
    }

    func insert(page first: Int, count: Int, body: [UInt8]) throws {
        try run("BEGIN IMMEDIATE")
        let fingerprint = [UInt8](repeating: 7, count: 16)
        let transient = millrace_sqlite_transient()
        for number in first..<(first + count) {
            // 48 bits of time, then what looks like a hash, as in the log's ids.
            let time = UInt64(1_700_000_000_000 + number / 10 * 1000)
            var id = (0..<6).map { UInt8(truncatingIfNeeded: time >> (40 - UInt64($0) * 8)) }
            var hash = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
            for _ in 0..<10 {
                id.append(UInt8(truncatingIfNeeded: hash))
                hash = hash >> 5 &* 31 &+ UInt64(number)
            }
            let subject = "unionid/\(number % 20_000)"
            sqlite3_bind_int64(event, 1, Int64(number) + 1)
            sqlite3_bind_blob(event, 2, id, 16, transient)
            sqlite3_bind_text(event, 3, subject, -1, transient)
            sqlite3_bind_int64(event, 4, 1_790_000_000_000)
            sqlite3_bind_blob(event, 5, body, Int32(body.count), transient)
            try step(event)
            sqlite3_bind_blob(key, 1, id, 16, transient)
            sqlite3_bind_blob(key, 2, fingerprint, 16, transient)
            sqlite3_bind_int64(key, 3, 1_790_000_000_000)
            try step(key)
        }
        try run("UPDATE head SET next = \(first + count)")
        try run("COMMIT")
    }

    private func step(_ statement: OpaquePointer?) throws {
        guard sqlite3_step(statement) == SQLITE_DONE else { throw failure }
        sqlite3_reset(statement)
    }

    private func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure }
    }

    private func prepared(_ sql: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        guard
            sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
                == SQLITE_OK
        else { throw failure }
        return statement
    }

    private var failure: BenchFailure {
        BenchFailure("bare SQLite: " + String(cString: sqlite3_errmsg(handle)))
    }
}
