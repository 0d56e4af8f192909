import SQLite

/// The tables of format 7, and how a store is told from any other file.
///
///     meta        log_id, the key of the fingerprints
///     head        one row: the next offset, the latest recorded time (offsets go on after retention emptied `events`)
///     sources     position, watermark and account of each (account, kind)
///     events      the log itself
///     dedup       one row per upstream row: its latest revision and that revision's two fingerprints
///     quarantine  rows that could not be read
///     sinks       each reader's position, the ranges settled above it, its account
///     retries     what failed and waits
///     dead        what was given up
///     tokens, changes   who may use the API, and what was changed through it (`APITables`)
///     customers   the schedule of the endpoints that answer one customer at a time (`CustomerTables`)
///
/// and those of webhook subscriptions, in `SubscriptionTables`.
///
/// Keys arrive nearly in order: `events.id` and `dedup.first_id` begin with the row's own time.
enum StoreFormat {
    static let version: Int64 = 7
    /// "MLRC": SQLite's own place to say whose file this is.
    static let applicationID: Int64 = 0x4D4C_5243

    static let schema = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE head (
            one INTEGER PRIMARY KEY CHECK (one = 1), next_offset INTEGER NOT NULL, recorded INTEGER NOT NULL);
        CREATE TABLE sources (
            id INTEGER PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
            position TEXT, watermark INTEGER, succeeded INTEGER, expired_time INTEGER,
            rows_read INTEGER NOT NULL DEFAULT 0, stored INTEGER NOT NULL DEFAULT 0,
            updated INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0,
            rejected INTEGER NOT NULL DEFAULT 0, too_old INTEGER NOT NULL DEFAULT 0,
            UNIQUE (account, kind));
        CREATE TABLE events (
            offset INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, source INTEGER, type TEXT NOT NULL,
            key TEXT NOT NULL, recorded INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE dedup (
            source INTEGER NOT NULL, first_id BLOB NOT NULL, revision INTEGER NOT NULL,
            raw BLOB NOT NULL, published BLOB NOT NULL, stored INTEGER NOT NULL, version INTEGER,
            PRIMARY KEY (source, first_id)) WITHOUT ROWID;
        CREATE INDEX dedup_by_age ON dedup (source, stored);
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, recorded INTEGER NOT NULL,
            reason TEXT NOT NULL, fingerprint BLOB NOT NULL, row BLOB NOT NULL, UNIQUE (source, fingerprint));
        CREATE TABLE sinks (
            name TEXT PRIMARY KEY, start INTEGER NOT NULL, position INTEGER NOT NULL, settled TEXT NOT NULL DEFAULT '[]',
            delivered INTEGER NOT NULL DEFAULT 0, filtered INTEGER NOT NULL DEFAULT 0,
            dead INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        CREATE TABLE retries (
            sink TEXT NOT NULL, offset INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL,
            first_failed INTEGER NOT NULL, status INTEGER, reason TEXT NOT NULL,
            PRIMARY KEY (sink, offset)) WITHOUT ROWID;
        CREATE INDEX retries_by_due ON retries (sink, due);
        CREATE TABLE dead (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, offset INTEGER NOT NULL,
            died INTEGER NOT NULL, attempts INTEGER NOT NULL, status INTEGER, reason TEXT NOT NULL);
        """ + CustomerTables.schema + AuditTables.schema + APITables.schema
        + AuditTables.recovery

    /// Refuses a file of a newer Millrace or of somebody else; true when the file is new and empty.
    static func isNew(_ connection: Connection, path: String) throws(LogError) -> Bool {
        let found: (application: Int64, version: Int64, tables: Int64)
        do throws(DatabaseError) {
            found = (
                try connection.first("PRAGMA application_id") { $0.integer(0) } ?? 0,
                try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0,
                try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } ?? 0
            )
        } catch {
            throw LogError(error, doing: "open the store \(path)")
        }
        if found == (0, 0, 0) { return true }
        guard found.application == applicationID else {
            throw LogError(
                .foreign, doing: "open the store \(path)", cause: "the file is a database of another program")
        }
        guard found.version <= version else {
            throw LogError(
                .foreign, doing: "open the store \(path)",
                cause: "it has format \(found.version), this Millrace knows formats up to \(version)")
        }
        return false
    }

    /// For those who only read: an older format would lack what they ask for.
    static func requireCurrent(_ connection: Connection, doing: String) throws(LogError) {
        let found: Int64?
        do throws(DatabaseError) {
            found = try connection.first("PRAGMA user_version") { $0.integer(0) }
        } catch {
            throw LogError(error, doing: doing)
        }
        guard let found, found < version else { return }
        throw LogError(
            .foreign, doing: doing,
            cause: "it has format \(found), which the next start of the relay brings up to \(version)")
    }

    /// What brings a store from one format to the next: the first entry from 1 to 2, and so on.
    ///
    ///     1 → 2   dedup.version: when the vendor says a row last changed (relations)
    ///     2 → 3   the schedule over customers
    ///     3 → 4   webhook subscriptions
    ///     4 → 5   how many events of a source retention has removed
    ///     5 → 6   tokens, the record of changes, the count of rows that came back from quarantine
    ///     6 → 7   which of those were later revisions, and how many rows have left quarantine
    private static let steps = [
        "ALTER TABLE dedup ADD COLUMN version INTEGER;",
        CustomerTables.schema,
        SubscriptionTables.script,
        AuditTables.schema,
        APITables.schema,
        AuditTables.recovery,
    ]

    /// Brings an older store up to this format, in one transaction; a newer one was refused before.
    static func migrate(_ connection: Connection) throws(DatabaseError) {
        let found = try connection.first("PRAGMA user_version") { $0.integer(0) } ?? version
        guard found < version else { return }
        try connection.execute(script: "BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            for step in steps[Int(found - 1)...] { try connection.execute(script: step) }
            try connection.execute(script: "PRAGMA user_version = \(version)")
            try connection.execute(script: "COMMIT")
        } catch {
            connection.rollBack()
            throw error
        }
    }

    /// Makes the tables in one transaction, so that a crash leaves either an empty file or a whole store.
    static func create(
        _ connection: Connection, logID: String, fingerprintKey: [UInt8]
    ) throws(DatabaseError) {
        try connection.execute(script: "BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            try connection.execute(script: schema)
            try connection.execute(script: SubscriptionTables.script)
            try connection.run("INSERT INTO meta (key, value) VALUES ('log_id', ?1)", .text(logID))
            try connection.run(
                "INSERT INTO meta (key, value) VALUES ('fingerprint_key', ?1)", .blob(fingerprintKey))
            try connection.run("INSERT INTO head (one, next_offset, recorded) VALUES (1, 1, 0)")
            try connection.execute(script: "PRAGMA application_id = \(applicationID)")
            try connection.execute(script: "PRAGMA user_version = \(version)")
            try connection.execute(script: "COMMIT")
        } catch {
            connection.rollBack()
            throw error
        }
    }
}
