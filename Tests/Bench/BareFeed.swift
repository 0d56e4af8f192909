import CSQLite

/// The feed's query by SQLite's own functions, and nothing else: step, copy the bytes into one buffer.
final class BareFeed {
    private var handle: OpaquePointer?
    private var statement: OpaquePointer?

    init(_ path: String) throws {
        let sql = "SELECT offset, body FROM events WHERE offset > ?1 ORDER BY offset LIMIT ?2"
        guard
            sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK
        else { throw BenchFailure("the bare feed does not open") }
    }

    deinit {
        sqlite3_finalize(statement)
        sqlite3_close_v2(handle)
    }

    func page(after offset: Int64, limit: Int64) throws -> (count: Int, last: Int64, bytes: [UInt8]) {
        sqlite3_bind_int64(statement, 1, offset)
        sqlite3_bind_int64(statement, 2, limit)
        defer { sqlite3_reset(statement) }
        var (count, last): (Int, Int64) = (0, offset)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(limit) * 1024)
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return (count, last, bytes) }
            guard code == SQLITE_ROW else { throw BenchFailure("the bare feed fails") }
            last = sqlite3_column_int64(statement, 0)
            let start = sqlite3_column_blob(statement, 1)
            let length = Int(sqlite3_column_bytes(statement, 1))
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: length))
            count += 1
        }
    }
}
