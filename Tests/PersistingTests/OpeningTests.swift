import EventModel
import Foundation
import Ports
import SQLite
import TestSupport
import Testing

@testable import Persisting

/// Pins what opening a store promises: whose it is, who may see it, what survives.
@Suite struct OpeningTests {
    @Test func storeAndItsCompanionsAreForTheOwnerAlone() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append([LogFixture.row("a")], from: fixture.source, position: nil)
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
    }

    @Test func reopenedLogGoesOnWhereItWas() async throws {
        let fixture = try LogFixture()
        var logID = ""
        do {
            let log = try fixture.open()
            logID = log.logID
            _ = try await log.append(
                LogFixture.rows(0..<3), from: fixture.source, position: LogFixture.position("x"))
        }
        let log = try fixture.open()
        #expect(log.logID == logID && log.head == 3)
        let result = try await log.append(LogFixture.rows(2..<5), from: fixture.source, position: nil)
        #expect(result.stored == 2 && result.duplicate == 1)
        #expect(try await log.events(after: 0, limit: 10).map(\.offset) == [1, 2, 3, 4, 5])
        #expect(try await log.position(of: fixture.source)?.state == "x")
    }

    @Test func everyStoreHasAnIdOfItsOwn() throws {
        let (one, other) = (try LogFixture(), try LogFixture())
        #expect(try one.open().logID != (try other.open().logID))
    }

    @Test func storeInUseIsRefusedWithASentence() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let error = #expect(throws: LogError.self) { _ = try fixture.open() }
        #expect(error?.kind == .inUse)
        #expect(error?.description.contains("process \(getpid())") == true)
        withExtendedLifetime(log) {}
    }

    @Test func newerFormatIsRefused() throws {
        let fixture = try LogFixture()
        _ = try fixture.open()
        try rawConnection(fixture.path).execute(script: "PRAGMA user_version = 99")
        let error = #expect(throws: LogError.self) { _ = try fixture.open() }
        #expect(error?.kind == .foreign && error?.cause.contains("format 99") == true)
        #expect(throws: LogError.self) { _ = try LogReader(path: fixture.path) }
    }

    @Test func olderFormatIsMigratedAndKeepsWhatItHolds() async throws {
        let fixture = try LogFixture()
        do {
            let log = try fixture.open()
            _ = try await log.append(LogFixture.rows(0..<3), from: fixture.source, position: nil)
        }
        // Format 1 is this one without what later formats added.
        try rawConnection(fixture.path).execute(
            script: """
                ALTER TABLE dedup DROP COLUMN version; ALTER TABLE sources DROP COLUMN deleted;
                ALTER TABLE sources DROP COLUMN forgotten; ALTER TABLE sources DROP COLUMN recovered;
                ALTER TABLE sources DROP COLUMN released; ALTER TABLE sources DROP COLUMN recovered_updates;
                DROP TABLE tokens; DROP TABLE changes; DROP TABLE replays;
                DROP TABLE customers; DROP TABLE customer_ids; DROP TABLE records;
                DROP INDEX dead_by_sink;
                ALTER TABLE retries DROP COLUMN members;
                ALTER TABLE dead DROP COLUMN answer;
                ALTER TABLE dead DROP COLUMN webhook_id;
                ALTER TABLE sinks DROP COLUMN expired;
                DROP TABLE subscriptions; DROP TABLE attempts; DROP TABLE successes; DROP TABLE closed;
                PRAGMA user_version = 1
                """)
        let error = #expect(throws: LogError.self) { _ = try LogReader(path: fixture.path) }
        #expect(error?.cause.contains("format 1") == true)
        let log = try fixture.open()
        let result = try await log.append(LogFixture.rows(2..<4), from: fixture.source, position: nil)
        #expect(result.duplicate == 1 && result.stored == 1 && log.head == 4)
    }

    @Test func databaseOfAnotherProgramIsRefusedAndLeftAlone() throws {
        let fixture = try LogFixture()
        try rawConnection(fixture.path).execute(
            script: "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        let error = #expect(throws: LogError.self) { _ = try fixture.open() }
        #expect(error?.kind == .foreign)
        #expect(try rawConnection(fixture.path).first("SELECT x FROM theirs") { $0.integer(0) } == 1)
    }

    @Test func fileThatIsNoDatabaseIsForeignAndLeftAlone() throws {
        let fixture = try LogFixture()
        let theirs = Data(repeating: 0x41, count: 9000)
        try theirs.write(to: URL(fileURLWithPath: fixture.path))
        let error = #expect(throws: LogError.self) { _ = try fixture.open() }
        #expect(error?.kind == .foreign)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == theirs)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7]) func damagedStoreIsAnErrorNotATrap(seed: Int) async throws {
        let fixture = try LogFixture()
        do {
            let log = try fixture.open()
            _ = try await log.append(LogFixture.rows(0..<400), from: fixture.source, position: nil)
        }
        try rawConnection(fixture.path).execute(script: "PRAGMA wal_checkpoint(TRUNCATE)")
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture.path)))
        if seed % 2 == 0 {
            bytes.removeLast(bytes.count / (seed + 2))
        } else {
            for place in stride(from: 4096 * seed, to: bytes.count, by: 977) { bytes[place] ^= 0xFF }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: fixture.path))
        do throws(LogError) {
            let log = try fixture.open()
            _ = try await log.events(after: 0, limit: 1000)
            _ = try await log.append(LogFixture.rows(400..<500), from: fixture.source, position: nil)
        } catch {
            #expect([.corrupt, .foreign, .other, .storage].contains(error.kind))
        }
    }

    @Test func readerOfAMissingStoreSaysSoAndMakesNone() throws {
        let fixture = try LogFixture()
        let error = #expect(throws: LogError.self) { _ = try LogReader(path: fixture.path) }
        #expect(error?.kind == .missing)
        #expect(!FileManager.default.fileExists(atPath: fixture.path))
    }

    @Test func folderOfTheStoreIsMade() throws {
        let fixture = try LogFixture()
        _ = try EventLog(path: fixture.folder.file("a/b/c.db"), timekeeper: fixture.clock)
        #expect(FileManager.default.fileExists(atPath: fixture.folder.file("a/b/c.db")))
    }
}
