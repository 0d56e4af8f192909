import EventModel
import SQLite

/// What may be forgotten: the oldest events, and dedup keys whose time is over.
enum Retention {
    /// Removes at most this many rows a transaction, so that appends wait milliseconds, not seconds.
    static let batch: Int64 = 5000

    /// Of events that a sink still needs: a long backlog goes in few steps, each with an event that tells of it.
    static let hardBatch: Int64 = 50_000

    /// Removes the oldest prefix recorded before `limit`, as far as every sink has settled it; what was recorded before
    /// `hard` goes in any case.
    /// - Parameter hard: nil cuts nothing that a sink needs.
    /// - Returns: how many events went, and what of them a sink had not settled.
    static func removeEvents(
        recordedBefore limit: Timestamp, hard: Timestamp? = nil, _ connection: Connection
    ) throws(DatabaseError) -> (removed: Int, cut: RetentionCut?) {
        let oldest = try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) }
        guard let oldest = oldest ?? nil else { return (0, nil) }
        let needed = try neededFrom(connection)
        let end = min(try firstRecorded(since: limit, from: oldest, connection), needed, oldest + batch)
        guard end <= oldest, let hard else { return (try remove(below: end, connection), nil) }
        let hardEnd = min(try firstRecorded(since: hard, from: oldest, connection), oldest + hardBatch)
        guard hardEnd > oldest else { return (0, nil) }
        let sinks = try unsettled(below: hardEnd, connection)
        return (
            try remove(below: hardEnd, connection), RetentionCut(from: oldest, until: hardEnd, sinks: sinks)
        )
    }

    private static func remove(below end: Int64, _ connection: Connection) throws(DatabaseError) -> Int {
        try connection.run(
            """
            UPDATE sources SET forgotten = forgotten
                + (SELECT count(*) FROM events WHERE offset < ?1 AND source = sources.id)
            """, .integer(end))
        try connection.run("DELETE FROM events WHERE offset < ?1", .integer(end))
        return connection.changes
    }

    /// The oldest offset that a sink has not settled.
    private static func neededFrom(_ connection: Connection) throws(DatabaseError) -> Int64 {
        let needed = try connection.first(
            """
            SELECT min(o) FROM (SELECT min(position) + 1 AS o FROM sinks UNION ALL SELECT min(offset) FROM retries)
            """
        ) { $0.optionalInteger(0) }
        return (needed ?? nil) ?? .max
    }

    /// The first event recorded at or after an instant; one after the last when all are older. `recorded` never decreases
    /// along the log.
    private static func firstRecorded(
        since limit: Timestamp, from oldest: Int64, _ connection: Connection
    ) throws(DatabaseError) -> Int64 {
        let first = try connection.first(
            """
            SELECT min(offset) FROM (
                SELECT offset FROM events WHERE offset >= ?1 AND recorded >= ?2 ORDER BY offset LIMIT 1)
            """,
            .integer(oldest), .integer(limit.milliseconds)
        ) { $0.optionalInteger(0) }
        if let first = first ?? nil { return first }
        return try connection.first("SELECT next_offset FROM head") { $0.integer(0) } ?? oldest
    }

    /// How many events below an offset each sink has not settled, those that have all left out.
    private static func unsettled(
        below end: Int64, _ connection: Connection
    ) throws(DatabaseError) -> [(name: String, events: Int64)] {
        var sinks: [(name: String, events: Int64)] = []
        for name in try connection.all("SELECT name FROM sinks ORDER BY name", read: { $0.text(0) }) {
            let open = try SinkLedger.unsettled(name, below: end, connection)
            if open > 0 { sinks.append((name, open)) }
        }
        return sinks
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

/// Events that went although a sink had not settled them (contract, section 4).
package struct RetentionCut: Sendable {
    /// The first offset.
    package let from: Int64
    /// The end, exclusive.
    package let until: Int64
    /// How many each sink lost, those that lost none left out.
    package let sinks: [(name: String, events: Int64)]
}

/// What one step of forgetting did.
package struct Forgotten: Sendable {
    /// Rows that went.
    package internal(set) var removed = 0
    package internal(set) var cut: RetentionCut?
}
