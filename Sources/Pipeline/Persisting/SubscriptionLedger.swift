import EventModel
import SQLite

/// Webhook subscriptions' side of the store: what they are, how they stand, what was tried, what was given up.
enum SubscriptionLedger {
    /// Failures are kept this long, successes by their number.
    static let failuresKept: Duration = .seconds(7 * 86_400)
    static let successesKept: Int64 = 1000

    // MARK: - Subscriptions

    static func all(_ connection: Connection) throws(DatabaseError) -> [SubscriptionRecord] {
        try connection.all(
            """
            SELECT sink, id, name, url, is_configured, settings, created, changed, state, reason, since,
                failing_since, hold_until, circuit_open, consented, granted_rate
            FROM subscriptions ORDER BY created, id
            """, read: record)
    }

    static func find(sink: String, _ connection: Connection) throws(DatabaseError) -> SubscriptionRecord? {
        try connection.first(
            """
            SELECT sink, id, name, url, is_configured, settings, created, changed, state, reason, since,
                failing_since, hold_until, circuit_open, consented, granted_rate
            FROM subscriptions WHERE sink = ?1
            """, .text(sink), read: record)
    }

    static func save(_ record: SubscriptionRecord, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            """
            INSERT INTO subscriptions (sink, id, name, url, is_configured, settings, created, changed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (sink) DO UPDATE SET name = excluded.name, url = excluded.url,
                is_configured = excluded.is_configured, settings = excluded.settings, changed = excluded.changed
            """,
            .text(record.sink), .text(record.id), .text(record.name), .text(record.url),
            .integer(record.isConfigured ? 1 : 0), .text(record.settings),
            .integer(record.created.milliseconds), .integer(record.changed.milliseconds))
        try store(record.health, of: record.sink, connection)
    }

    static func store(
        _ health: SubscriptionHealth, of sink: String, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE subscriptions SET state = ?2, reason = ?3, since = ?4, failing_since = ?5, hold_until = ?6,
                circuit_open = ?7, consented = ?8, granted_rate = ?9
            WHERE sink = ?1
            """,
            .text(sink), .text(health.state.rawValue), .optional(health.reason),
            .optional(health.since?.milliseconds), .optional(health.failingSince?.milliseconds),
            .optional(health.holdUntil?.milliseconds), .integer(health.isCircuitOpen ? 1 : 0),
            .optional(health.consentedURL), health.grantedRate.map { .real($0) } ?? .null)
    }

    private static func record(_ row: borrowing Row) -> SubscriptionRecord {
        var health = SubscriptionHealth()
        // A word this version does not know holds the events rather than sending them.
        health.state = SubscriptionState(rawValue: row.text(8)) ?? .paused
        health.reason = row.optionalText(9)
        health.since = row.optionalInteger(10).map(Timestamp.init(milliseconds:))
        health.failingSince = row.optionalInteger(11).map(Timestamp.init(milliseconds:))
        health.holdUntil = row.optionalInteger(12).map(Timestamp.init(milliseconds:))
        health.isCircuitOpen = row.integer(13) != 0
        health.consentedURL = row.optionalText(14)
        health.grantedRate = row.optionalReal(15)
        return SubscriptionRecord(
            sink: row.text(0), id: row.text(1), name: row.text(2), url: row.text(3),
            isConfigured: row.integer(4) != 0, settings: row.text(5),
            created: Timestamp(milliseconds: row.integer(6)),
            changed: Timestamp(milliseconds: row.integer(7)), health: health)
    }

    // MARK: - Closing an account

    /// Keeps the totals of a sink's account apart and removes everything that belongs to it.
    static func close(
        _ sink: String, cause: String, now: Timestamp, in scope: LogWriter.Scope
    ) throws(DatabaseError) {
        let connection = scope.connection
        guard let progress = try SinkLedger.progress(sink, connection) else { return }
        let settled = progress.settled.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 }
        let head = scope.head.nextOffset - 1
        let open = head - progress.position - settled + (try SinkLedger.waiting(sink, connection))
        try connection.run(
            """
            INSERT INTO closed (sink, subscription, name, closed, cause, events, delivered, filtered, dead, open, expired)
            SELECT s.name, coalesce(b.id, ''), coalesce(b.name, s.name), ?2, ?3, ?4 - s.start, s.delivered, s.filtered,
                s.dead, ?5, s.expired
            FROM sinks s LEFT JOIN subscriptions b ON b.sink = s.name WHERE s.name = ?1
            """,
            .text(sink), .integer(now.milliseconds), .text(cause), .integer(head), .integer(open))
        try connection.run("DELETE FROM retries WHERE sink = ?1", .text(sink))
        try connection.run("DELETE FROM dead WHERE sink = ?1", .text(sink))
        try connection.run("DELETE FROM sinks WHERE name = ?1", .text(sink))
    }

    static func remove(_ sink: String, _ connection: Connection) throws(DatabaseError) {
        try connection.run("DELETE FROM attempts WHERE sink = ?1", .text(sink))
        try connection.run("DELETE FROM successes WHERE sink = ?1", .text(sink))
        try connection.run("DELETE FROM subscriptions WHERE sink = ?1", .text(sink))
    }

    static func closed(_ connection: Connection) throws(DatabaseError) -> [ClosedAccount] {
        try connection.all(
            """
            SELECT sink, subscription, name, closed, cause, events, delivered, filtered, dead, open, expired
            FROM closed ORDER BY id
            """
        ) {
            ClosedAccount(
                sink: $0.text(0), subscription: $0.text(1), name: $0.text(2),
                closed: Timestamp(milliseconds: $0.integer(3)), cause: $0.text(4), events: $0.integer(5),
                delivered: $0.integer(6), filtered: $0.integer(7), dead: $0.integer(8), open: $0.integer(9),
                expired: $0.integer(10))
        }
    }
}
