package import EventModel
import Ports
import SQLite

/// Replays in the store, so that they go on after a restart.
extension EventLog {
    package func addReplay(_ replay: ReplayRecord, _ note: ChangeNote) async throws(LogError) {
        let now = timekeeper.now
        try await change("store a replay") { scope throws(DatabaseError) in
            try ReplayLedger.add(replay, scope.connection)
            try Self.keep(note, at: now, scope.connection)
        }
    }

    /// Stores how far a replay is; nothing once it was removed.
    package func storeReplay(_ replay: ReplayRecord) async throws(LogError) {
        try await change("store a replay's progress") { scope throws(DatabaseError) in
            try ReplayLedger.store(replay, scope.connection)
        }
    }

    package func removeReplay(_ id: String, _ note: ChangeNote) async throws(LogError) {
        let now = timekeeper.now
        try await change("remove a replay") { scope throws(DatabaseError) in
            try ReplayLedger.remove(id, scope.connection)
            try Self.keep(note, at: now, scope.connection)
        }
    }

    /// Forgets replays that ended before an instant.
    package func forgetReplays(endedBefore time: Timestamp) async throws(LogError) {
        try await change("forget ended replays") { scope throws(DatabaseError) in
            try scope.connection.run(
                "DELETE FROM replays WHERE finished < ?1", .integer(time.milliseconds))
        }
    }

    /// The newest first.
    package func replays() async throws(LogError) -> [ReplayRecord] {
        try await reader.replays()
    }

    /// The first offset recorded at or after an instant; the next one to come when there is none.
    package func offset(recordedSince time: Timestamp) async throws(LogError) -> Int64 {
        try await reader.offset(recordedSince: time)
    }
}

extension LogReader {
    func replays() throws(LogError) -> [ReplayRecord] {
        try reading { () throws(DatabaseError) in try ReplayLedger.all(connection) }
    }
}

/// The table of replays.
enum ReplayLedger {
    static func add(_ replay: ReplayRecord, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            """
            INSERT INTO replays (id, target, first, until, types, rate, topic, who, created, state, position)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """,
            .text(replay.id), .text(replay.target), .integer(replay.first), .integer(replay.until),
            .text(replay.types.map(\.text).joined(separator: ",")), replay.rate.map { .real($0) } ?? .null,
            .optional(replay.topic), .text(replay.who), .integer(replay.created.milliseconds),
            .text(replay.state.rawValue), .integer(replay.position))
    }

    static func store(_ replay: ReplayRecord, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE replays SET state = ?2, position = ?3, delivered = ?4, filtered = ?5, dead = ?6, expired = ?7,
                finished = ?8, failure = ?9 WHERE id = ?1
            """,
            .text(replay.id), .text(replay.state.rawValue), .integer(replay.position),
            .integer(replay.delivered), .integer(replay.filtered), .integer(replay.dead),
            .integer(replay.expired), .optional(replay.finished?.milliseconds), .optional(replay.failure))
    }

    static func remove(_ id: String, _ connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM replays WHERE id = ?1", .text(id))
    }

    static func all(_ connection: Connection) throws(DatabaseError) -> [ReplayRecord] {
        try connection.all(
            """
            SELECT id, target, first, until, types, rate, topic, who, created, state, position, delivered, filtered,
                dead, expired, finished, failure FROM replays ORDER BY created DESC, id DESC
            """, read: replay)
    }

    private static func replay(_ row: borrowing Row) -> ReplayRecord {
        var replay = ReplayRecord(
            id: row.text(0), target: row.text(1), first: row.integer(2), until: row.integer(3),
            types: row.text(4).split(separator: ",").compactMap { NamePattern(String($0)) },
            rate: row.optionalReal(5), topic: row.optionalText(6), who: row.text(7),
            created: Timestamp(milliseconds: row.integer(8)))
        replay.state = ReplayRecord.State(rawValue: row.text(9)) ?? .failed
        replay.position = row.integer(10)
        (replay.delivered, replay.filtered) = (row.integer(11), row.integer(12))
        (replay.dead, replay.expired) = (row.integer(13), row.integer(14))
        replay.finished = row.optionalInteger(15).map(Timestamp.init(milliseconds:))
        replay.failure = row.optionalText(16)
        return replay
    }
}
