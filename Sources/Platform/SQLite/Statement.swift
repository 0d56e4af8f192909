import CSQLite

/// One prepared statement; finalized with its last reference.
final class Statement {
    let pointer: OpaquePointer
    private let connection: OpaquePointer
    private let text: String

    init(_ text: String, connection: OpaquePointer) throws(DatabaseError) {
        var pointer: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard code == SQLITE_OK, let pointer else {
            throw DatabaseError(code: code, handle: connection, doing: "prepare: \(text)")
        }
        (self.pointer, self.connection, self.text) = (pointer, connection, text)
    }

    deinit {
        sqlite3_finalize(pointer)
    }

    func bind(_ values: [Value]) throws(DatabaseError) {
        for place in values.indices {
            let code = values[place].bind(to: pointer, at: Int32(place + 1))
            guard code == SQLITE_OK else {
                throw DatabaseError(
                    code: code, handle: connection, doing: "bind value \(place + 1) of: \(text)")
            }
        }
    }

    /// True while there is a row to read.
    func step() throws(DatabaseError) -> Bool {
        let code = sqlite3_step(pointer)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw DatabaseError(code: code, handle: connection, doing: "run: \(text)")
        }
    }

    /// Makes the statement ready for its next use; an error here repeats the one `step` has thrown.
    func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }
}

/// What can be bound to a statement.
package enum Value: Sendable {
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    case null

    package static func optional(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
    package static func optional(_ value: String?) -> Value { value.map { .text($0) } ?? .null }

    fileprivate func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        let transient = millrace_sqlite_transient()
        switch self {
        case .integer(let value):
            return sqlite3_bind_int64(statement, place, value)
        case .real(let value):
            return sqlite3_bind_double(statement, place, value)
        case .text(var value):
            return value.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(
                        statement, place, $0.baseAddress, UInt64($0.count), transient, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let value):
            // A null pointer would bind NULL instead of an empty blob.
            if value.isEmpty { return sqlite3_bind_zeroblob(statement, place, 0) }
            return sqlite3_bind_blob64(statement, place, value, UInt64(value.count), transient)
        case .null:
            return sqlite3_bind_null(statement, place)
        }
    }
}

/// The current row of a statement; valid only inside the closure that got it.
package struct Row: ~Copyable {
    private let statement: OpaquePointer

    init(statement: OpaquePointer) {
        self.statement = statement
    }

    package func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(statement, column)
    }

    package func optionalInteger(_ column: Int32) -> Int64? {
        isNull(column) ? nil : integer(column)
    }

    package func optionalReal(_ column: Int32) -> Double? {
        isNull(column) ? nil : sqlite3_column_double(statement, column)
    }

    package func text(_ column: Int32) -> String {
        String(decoding: bytes(column), as: UTF8.self)
    }

    package func optionalText(_ column: Int32) -> String? {
        isNull(column) ? nil : text(column)
    }

    /// Copies a blob or a text; empty for NULL.
    package func bytes(_ column: Int32) -> [UInt8] {
        guard let pointer = sqlite3_column_blob(statement, column) else { return [] }
        return Array(
            UnsafeRawBufferPointer(start: pointer, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// Appends a blob or a text without a copy in between; NULL appends nothing.
    package func append(_ column: Int32, to buffer: inout [UInt8]) {
        guard let pointer = sqlite3_column_blob(statement, column) else { return }
        buffer.append(
            contentsOf: UnsafeRawBufferPointer(
                start: pointer, count: Int(sqlite3_column_bytes(statement, column))))
    }

    private func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(statement, column) == SQLITE_NULL
    }
}
