import EventModel
import Foundation
import SQLite
import Signing

extension EventLog {
    struct Opened {
        let connection: Connection
        let logID: String
        let fingerprintKey: [UInt8]
        let head: LogWriter.Head
    }

    static func makeFolder(of path: String) throws(LogError) {
        let folder = (path as NSString).deletingLastPathComponent
        guard !folder.isEmpty else { return }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw LogError(.storage, doing: "make the folder \(folder)", cause: error.localizedDescription)
        }
    }

    /// Opens or makes the store; the file exists with mode 0600 before SQLite writes a byte, and SQLite gives its
    /// companions the same mode.
    static func open(_ path: String) throws(LogError) -> sending Opened {
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LogError(.storage, doing: "open the store \(path)", cause: String(cString: strerror(errno)))
        }
        close(descriptor)
        let connection: Connection
        do throws(DatabaseError) {
            connection = try Connection(path: path, access: .readWrite, busyTimeout: .seconds(30))
        } catch {
            throw LogError(error, doing: "open the store \(path)")
        }
        let isNew = try StoreFormat.isNew(connection, path: path)
        do throws(DatabaseError) {
            try configure(connection)
            if isNew {
                try StoreFormat.create(
                    connection, logID: secureRandomBytes(16).hexadecimal,
                    fingerprintKey: secureRandomBytes(32))
            }
            try StoreFormat.migrate(connection)
            return try read(connection)
        } catch {
            throw LogError(error, doing: "open the store \(path)")
        }
    }

    /// `FULL`: a commit is on disk before it is acknowledged, also in WAL mode (L1).
    private static func configure(_ connection: Connection) throws(DatabaseError) {
        try connection.execute(
            script: """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA cache_size = -16384;
                PRAGMA temp_store = MEMORY;
                """)
    }

    private static func read(_ connection: Connection) throws(DatabaseError) -> Opened {
        let logID = try connection.first("SELECT value FROM meta WHERE key = 'log_id'") { $0.text(0) }
        let key = try connection.first("SELECT value FROM meta WHERE key = 'fingerprint_key'") { $0.bytes(0) }
        let head = try connection.first("SELECT next_offset, recorded FROM head") {
            LogWriter.Head(nextOffset: $0.integer(0), recorded: Timestamp(milliseconds: $0.integer(1)))
        }
        guard let logID, let key, let head else {
            throw DatabaseError(
                corrupt: "read the head of the store", cause: "a row that every store has is missing")
        }
        return Opened(connection: connection, logID: logID, fingerprintKey: key, head: head)
    }
}
