import Foundation
import SQLite
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConnectionTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("test.db")
    }

    private func open(_ access: Connection.Access = .readWrite) throws -> Connection {
        try Connection(path: path, access: access, busyTimeout: .zero)
    }

    private func filled() throws -> Connection {
        let connection = try open()
        try connection.execute(script: "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)")
        for number in Int64(1)...3 {
            try connection.run("INSERT INTO t VALUES (?, ?)", .integer(number), .text("row \(number)"))
        }
        return connection
    }

    @Test func openingWhatIsNotThereSaysWhatItWasDoing() throws {
        let error = #expect(throws: DatabaseError.self) { _ = try open(.readOnly) }
        #expect(error?.kind == .cannotOpen)
        #expect(error?.doing == "open \(path)")
        #expect(error?.cause.isEmpty == false)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: DatabaseError.self) {
            _ = try Connection(path: path + "/no/such", access: .readWrite, busyTimeout: .zero)
        }
    }

    @Test(arguments: ["integer", "text"])
    func aConstraintErrorNamesTheStatementAndNoValue(kind: String) throws {
        let connection = try filled()
        let error = #expect(throws: DatabaseError.self) {
            if kind == "integer" {
                try connection.run("INSERT INTO t VALUES (?, ?)", .integer(2), .text("hush"))
            } else {
                try connection.run("INSERT INTO t VALUES (9, ?)", .null)
            }
        }
        #expect(error?.kind == .constraint)
        #expect(error?.doing.hasPrefix("run: INSERT INTO t VALUES") == true)
        #expect(error?.description.contains("hush") == false)
    }

    @Test func aStatementIsUsableAfterItsError() throws {
        let connection = try filled()
        func insert(_ number: Int64) throws {
            try connection.run("INSERT INTO t VALUES (?, ?)", .integer(number), .text("again"))
        }
        #expect(throws: DatabaseError.self) { try insert(1) }
        try insert(4)
        #expect(connection.changes == 1)
        #expect(throws: DatabaseError.self) { try insert(4) }
        try insert(5)
        #expect(try connection.first("SELECT count(*) FROM t") { $0.integer(0) } == 5)
    }

    @Test func badSQLSaysWhatCouldNotBePrepared() throws {
        let connection = try filled()
        let error = #expect(throws: DatabaseError.self) { try connection.run("SELECT missing FROM t") }
        #expect(error?.doing == "prepare: SELECT missing FROM t")
        #expect(error?.cause == "no such column: missing")
        #expect(throws: DatabaseError.self) { try connection.execute(script: "no sql") }
        // More values than places: refused, and nothing ran.
        #expect(throws: DatabaseError.self) { try connection.run("DELETE FROM t", .integer(1)) }
        #expect(try connection.first("SELECT count(*) FROM t") { $0.integer(0) } == 3)
    }

    @Test func rowsComeInOrderAndTheWalkEndsWhenAsked() throws {
        let connection = try filled()
        #expect(try connection.first("SELECT b FROM t WHERE a = ?", .integer(2)) { $0.text(0) } == "row 2")
        #expect(try connection.first("SELECT b FROM t WHERE a = ?", .integer(9)) { $0.text(0) } == nil)
        #expect(try connection.first("SELECT a FROM t WHERE b = ?", .text("row 3")) { $0.integer(0) } == 3)
        #expect(
            try connection.all("SELECT b FROM t ORDER BY a DESC") { $0.text(0) } == [
                "row 3", "row 2", "row 1",
            ])
        #expect(try connection.all("SELECT a FROM t WHERE a > 9") { $0.integer(0) } == [])
        var seen: [Int64] = []
        try connection.forEach("SELECT a FROM t ORDER BY a", []) { row in
            seen.append(row.integer(0))
            return seen.count < 2
        }
        #expect(seen == [1, 2])
        // A walk that was broken off holds no lock on the table.
        try connection.execute(script: "DROP TABLE t")
    }

    @Test func aReadOnlyConnectionCannotWrite() throws {
        do { _ = try filled() }
        let reader = try open(.readOnly)
        let error = #expect(throws: DatabaseError.self) { try reader.run("DELETE FROM t") }
        #expect(error?.kind == .storage)
    }

    @Test func aLockHeldByAnotherIsBusy() throws {
        let holder = try filled()
        try holder.run("BEGIN IMMEDIATE")
        let other = try open()
        let error = #expect(throws: DatabaseError.self) { try other.run("BEGIN IMMEDIATE") }
        #expect(error?.kind == .busy)
        try holder.run("ROLLBACK")
        try other.run("BEGIN IMMEDIATE")
        try other.run("COMMIT")
    }

    @Test func aReaderSeesItsSnapshotBesideAWriterInWAL() throws {
        let writer = try filled()
        try writer.execute(script: "PRAGMA journal_mode = WAL")
        let reader = try open(.readOnly)
        func count(_ connection: Connection) throws -> Int64? {
            try connection.first("SELECT count(*) FROM t") { $0.integer(0) }
        }
        try writer.run("BEGIN IMMEDIATE")
        try writer.run("INSERT INTO t VALUES (4, 'row 4')")
        #expect(try count(reader) == 3)
        try reader.run("BEGIN")
        #expect(try count(reader) == 3)
        try writer.run("COMMIT")
        #expect(try count(reader) == 3)
        try reader.run("COMMIT")
        #expect(try count(reader) == 4)
    }

    @Test func aFileThatIsNoDatabaseIsToldApartFromADamagedOne() throws {
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: path))
        let connection = try open()
        let error = #expect(throws: DatabaseError.self) {
            try connection.execute(script: "CREATE TABLE t (a)")
        }
        #expect(error?.kind == .notADatabase)
        let reader = try open(.readOnly)
        let second = #expect(throws: DatabaseError.self) {
            _ = try reader.first("SELECT count(*) FROM sqlite_master") { $0.integer(0) }
        }
        #expect(second?.kind == .notADatabase)
    }

    @Test func aDamagedPageIsCorrupt() throws {
        do {
            let connection = try filled()
            try connection.execute(script: "PRAGMA page_size = 4096")
        }
        var bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.count > 4096)
        for place in 4096..<4116 { bytes[place] = 0xFF }
        try bytes.write(to: URL(filePath: path))
        let connection = try open()
        let error = #expect(throws: DatabaseError.self) {
            _ = try connection.all("SELECT a FROM t") { $0.integer(0) }
        }
        #expect(error?.kind == .corrupt)
    }
}
