import SQLite
import TestSupport
import Testing

@Suite struct ValueTests {
    private let folder: TemporaryFolder
    private let connection: Connection

    init() throws {
        folder = try TemporaryFolder()
        connection = try Connection(path: folder.file("test.db"), access: .readWrite, busyTimeout: .zero)
        try connection.execute(script: "CREATE TABLE v (a)")
    }

    private func kind() throws -> String? {
        try connection.first("SELECT typeof(a) FROM v") { $0.text(0) }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 9_007_199_254_740_993, .max])
    func integersSurvive(value: Int64) throws {
        try connection.run("INSERT INTO v VALUES (?)", .integer(value))
        #expect(try connection.first("SELECT a FROM v") { $0.integer(0) } == value)
        #expect(try connection.first("SELECT a FROM v") { $0.optionalInteger(0) } == .some(value))
        #expect(try kind() == "integer")
    }

    @Test(arguments: [
        "", "a", "a\0b", "\0", "杨 🐶 é e\u{301}", String(repeating: "long ", count: 10_000), "'; DROP TABLE v",
    ])
    func textsSurviveByteForByte(value: String) throws {
        try connection.run("INSERT INTO v VALUES (?)", .text(value))
        let read = try #require(try connection.first("SELECT a FROM v") { $0.text(0) })
        #expect(Array(read.utf8) == Array(value.utf8))
        #expect(try kind() == "text")
        #expect(try connection.first("SELECT 1 FROM v WHERE a = ?", .text(value)) { $0.integer(0) } == 1)
    }

    @Test(arguments: [[], [0], [0, 255, 0xC3], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]])
    func blobsSurviveAndAnEmptyOneIsNotNull(value: [UInt8]) throws {
        try connection.run("INSERT INTO v VALUES (?)", .blob(value))
        #expect(try connection.first("SELECT a FROM v") { $0.bytes(0) } == value)
        #expect(try kind() == "blob")
    }

    @Test func nullIsNothing() throws {
        try connection.run("INSERT INTO v VALUES (?)", .null)
        try connection.run("INSERT INTO v VALUES (?)", .optional(nil as Int64?))
        try connection.run("INSERT INTO v VALUES (?)", .optional(nil as String?))
        let rows = try connection.all("SELECT a FROM v") { row in
            row.optionalInteger(0) == nil && row.optionalText(0) == nil && row.bytes(0).isEmpty
        }
        #expect(rows == [true, true, true])
        #expect(try kind() == "null")
    }

    @Test func optionalValuesThatAreThereAreValues() throws {
        try connection.run("INSERT INTO v VALUES (?)", .optional(5))
        try connection.run("INSERT INTO v VALUES (?)", .optional(""))
        #expect(try connection.all("SELECT typeof(a) FROM v") { $0.text(0) } == ["integer", "text"])
        #expect(try connection.all("SELECT a FROM v") { $0.optionalText(0) } == ["5", ""])
    }

    @Test func valuesOfOneUseAreGoneInTheNext() throws {
        for value in [Value.text("first"), .null] {
            try connection.run("INSERT INTO v VALUES (?)", value)
        }
        #expect(
            try connection.all("SELECT a FROM v ORDER BY rowid") { $0.optionalText(0) } == ["first", nil])
    }
}
