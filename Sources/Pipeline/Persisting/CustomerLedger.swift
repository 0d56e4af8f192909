import EventModel
import SQLite

/// The schedule over customers inside a transaction that somebody else began.
///
/// Entries come from relations (a discovery pass, then every new or changed one in the transaction that stores it), are
/// moved to the front by visits and by absences to confirm, and to the back by every try.
enum CustomerLedger {
    // MARK: - Who there is

    /// Enters customers; those that are known stay as they are.
    static func discover(
        _ customers: [CustomerReference], source: Int64, kind: SourceKind, _ connection: Connection
    ) throws(DatabaseError) {
        for customer in customers {
            guard let key = customer.key(for: kind) else { continue }
            try connection.run(
                "INSERT INTO customers (source, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                .integer(source), .text(key))
            try connection.run(
                "INSERT INTO customer_ids (source, customer, key) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                .integer(source), .integer(customer.customer), .text(key))
        }
    }

    /// News about customers, from rows of another source of the account that are stored in this transaction.
    /// - Parameter from: relations introduce customers, visits only wake those that are known.
    static func notice(
        _ customers: [CustomerReference], from kind: SourceKind, account: String, now: Timestamp,
        _ connection: Connection
    ) throws(DatabaseError) {
        let schedules = try connection.all(
            "SELECT id, kind FROM sources WHERE account = ?1", .text(account)
        ) { ($0.integer(0), SourceKind(rawValue: $0.text(1))) }
        for (source, scheduled) in schedules {
            guard let scheduled, scheduled.isPerCustomer else { continue }
            if kind == .relations {
                try discover(customers, source: source, kind: scheduled, connection)
            }
            for customer in Set(customers) {
                try want(customer, source: source, kind: scheduled, now: now, connection)
            }
        }
    }

    /// A relation names its own call; a visit wakes every call its customer id leads to.
    private static func want(
        _ customer: CustomerReference, source: Int64, kind: SourceKind, now: Timestamp,
        _ connection: Connection
    ) throws(DatabaseError) {
        if let key = customer.key(for: kind) {
            try connection.run(
                "UPDATE customers SET wanted = min(coalesce(wanted, ?3), ?3) WHERE source = ?1 AND key = ?2",
                .integer(source), .text(key), .integer(now.milliseconds))
        } else {
            try connection.run(
                """
                UPDATE customers SET wanted = min(coalesce(wanted, ?3), ?3)
                WHERE source = ?1 AND key IN (SELECT key FROM customer_ids WHERE source = ?1 AND customer = ?2)
                """,
                .integer(source), .integer(customer.customer), .integer(now.milliseconds))
        }
    }

    // MARK: - What became of a call

    /// The customer was read whole; what was wanted before the call is satisfied.
    /// - Parameters:
    ///   - pending: how many records were absent.
    ///   - next: when an absence has to be confirmed.
    static func read(
        _ reading: CustomerReading, pending: Int, next: Timestamp?, source: Int64, now: Timestamp,
        _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE customers SET turn = ?3, read = ?3, failures = 0, pending = ?4, reply = ?5,
                wanted = CASE WHEN wanted > ?6 THEN wanted ELSE ?7 END
            WHERE source = ?1 AND key = ?2
            """,
            .integer(source), .text(reading.key), .integer(now.milliseconds), .integer(Int64(pending)),
            .blob(reading.reply), .integer(reading.picked.milliseconds), .optional(next?.milliseconds))
    }

    /// The call failed: the customer goes to the back, and is wanted again after a while.
    static func failed(
        _ key: String, source: Int64, now: Timestamp, again: Timestamp, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE customers SET turn = ?3, failures = failures + 1, wanted = ?4 WHERE source = ?1 AND key = ?2
            """,
            .integer(source), .text(key), .integer(now.milliseconds), .integer(again.milliseconds))
    }

    /// Turns in the future come from a clock that was set back since: they would put their customers off until then.
    static func undoJump(source: Int64, now: Timestamp, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            "UPDATE customers SET turn = ?2 WHERE source = ?1 AND turn > ?2", .integer(source),
            .integer(now.milliseconds))
    }

    // MARK: - Who is next

    static func head(
        source: Int64, now: Timestamp, _ connection: Connection
    ) throws(DatabaseError) -> ScheduleHead {
        ScheduleHead(
            wanted: try connection.first(
                """
                SELECT key, turn, reply, pending, failures FROM customers
                WHERE source = ?1 AND wanted <= ?2 ORDER BY wanted LIMIT 1
                """,
                .integer(source), .integer(now.milliseconds)
            ) { scheduled($0) },
            oldest: try connection.first(
                """
                SELECT key, turn, reply, pending, failures FROM customers
                WHERE source = ?1 ORDER BY turn LIMIT 1
                """,
                .integer(source)
            ) { scheduled($0) })
    }

    static func counts(source: Int64, _ connection: Connection) throws(DatabaseError) -> ScheduleCounts {
        let numbers = try connection.first(
            "SELECT count(*), count(*) - count(read), min(read) FROM customers WHERE source = ?1",
            .integer(source)
        ) { ($0.integer(0), $0.integer(1), $0.optionalInteger(2)) }
        guard let (customers, unread, oldest) = numbers else {
            return ScheduleCounts(customers: 0, unread: 0, oldestReading: nil)
        }
        return ScheduleCounts(
            customers: Int(customers), unread: Int(unread),
            oldestReading: unread == 0 ? oldest.map(Timestamp.init(milliseconds:)) : nil)
    }

    private static func scheduled(_ row: borrowing Row) -> ScheduledCustomer {
        let turn = row.integer(1)
        let reply = row.bytes(2)
        return ScheduledCustomer(
            key: row.text(0), turn: turn == 0 ? nil : Timestamp(milliseconds: turn),
            reply: reply.isEmpty ? nil : reply, pending: Int(row.integer(3)), failures: Int(row.integer(4)))
    }
}
