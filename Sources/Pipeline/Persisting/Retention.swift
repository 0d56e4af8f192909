import EventModel
import SQLite

/// What may be forgotten: the oldest events, and dedup keys whose time is over.
enum Retention {
    /// Removes at most this many rows a transaction, so that appends wait milliseconds, not seconds.
    static let batch: Int64 = 5000

    /// Removes the oldest prefix recorded before `limit`, never what a sink has still to deliver.
    /// - Returns: how many events went.
    static func removeEvents(recordedBefore limit: Timestamp, _ connection: Connection) throws(DatabaseError)
        -> Int
    {
        let needed = try connection.first(
            """
            SELECT min(o) FROM (SELECT min(position) + 1 AS o FROM sinks UNION ALL SELECT min(offset) FROM retries)
            """
        ) { $0.optionalInteger(0) }
        let oldest = try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) }
        guard let oldest = oldest ?? nil else { return 0 }
        // The first event that must stay ends the prefix: `recorded` never decreases along the log.
        let kept = try connection.first(
            """
            SELECT min(offset) FROM (
                SELECT offset FROM events WHERE offset >= ?1 AND recorded >= ?2 ORDER BY offset LIMIT 1)
            """,
            .integer(oldest), .integer(limit.milliseconds)
        ) { $0.optionalInteger(0) }
        let end = min((kept ?? nil) ?? .max, (needed ?? nil) ?? .max, oldest + batch)
        try connection.run(
            """
            UPDATE sources SET forgotten = forgotten
                + (SELECT count(*) FROM events WHERE offset < ?1 AND source = sources.id)
            """, .integer(end))
        try connection.run("DELETE FROM events WHERE offset < ?1", .integer(end))
        return connection.changes
    }

    /// Removes dedup keys stored before `limit` and remembers the newest upstream time among them: an unknown row as old
    /// as that could be one already published, and is `too_old` from now on.
    static func removeKeys(
        source: Int64, storedBefore limit: Timestamp, _ connection: Connection
    ) throws(DatabaseError) -> Int {
        let keys = try connection.all(
            "SELECT first_id, stored FROM dedup WHERE source = ?1 AND stored < ?2 ORDER BY stored LIMIT ?3",
            .integer(source), .integer(limit.milliseconds), .integer(batch)
        ) { (id: $0.bytes(0), stored: $0.integer(1)) }
        // A row dated after it was stored lies: it must not make everything that follows too old.
        guard let time = keys.map({ min(EventID(bytes: $0.id)?.time.milliseconds ?? .min, $0.stored) }).max()
        else { return 0 }
        for key in keys {
            try connection.run(
                "DELETE FROM dedup WHERE source = ?1 AND first_id = ?2", .integer(source), .blob(key.id))
        }
        try connection.run(
            "UPDATE sources SET expired_time = max(coalesce(expired_time, ?2), ?2) WHERE id = ?1",
            .integer(source), .integer(time))
        return keys.count
    }
}
