import EventModel
import SQLite

/// Attempts and dead letters in the store.
enum AttemptLedger {
    static func keep(
        _ failures: [AttemptRecord], _ successes: [AttemptRecord], of sink: String, _ connection: Connection
    ) throws(DatabaseError) {
        for attempt in failures {
            try connection.run(
                """
                INSERT INTO attempts (sink, offset, webhook_id, time, attempt, status, duration, class, reason, answer)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                """,
                .text(sink), .integer(attempt.offset), .text(attempt.webhookID),
                .integer(attempt.time.milliseconds), .integer(Int64(attempt.attempt)),
                .optional(attempt.status.map(Int64.init)), .integer(Int64(attempt.duration.inSeconds * 1e6)),
                .text(attempt.failure ?? ""), .text(attempt.reason ?? ""), .blob(attempt.answer))
        }
        guard !successes.isEmpty else { return }
        try connection.run(
            "INSERT INTO successes (sink, count, rows) VALUES (?1, ?2, ?3)", .text(sink),
            .integer(Int64(successes.count)), .blob(SuccessChunk.encode(successes)))
        // Many at once would be many megabytes before the next pruning.
        if successes.count >= largeChunk { _ = try prune(sink, connection) }
    }

    private static let largeChunk = 200

    /// The newest first, failures and successes together.
    /// - Parameter until: none that began later.
    static func attempts(
        of sink: String, until: Timestamp, limit: Int, _ connection: Connection
    ) throws(DatabaseError) -> [AttemptRecord] {
        let failures = try connection.all(
            """
            SELECT offset, webhook_id, time, attempt, status, duration, class, reason, answer FROM attempts
            WHERE sink = ?1 AND time <= ?3 ORDER BY id DESC LIMIT ?2
            """, .text(sink), .integer(Int64(limit)), .integer(until.milliseconds)
        ) {
            AttemptRecord(
                offset: $0.integer(0), webhookID: $0.text(1), time: Timestamp(milliseconds: $0.integer(2)),
                attempt: Int($0.integer(3)), status: $0.optionalInteger(4).map(Int.init),
                duration: .microseconds($0.integer(5)), failure: $0.text(6), reason: $0.text(7),
                answer: $0.bytes(8))
        }
        var successes: [AttemptRecord] = []
        try connection.forEach(
            "SELECT rows FROM successes WHERE sink = ?1 ORDER BY id DESC", [.text(sink)]
        ) { row in
            successes += SuccessChunk.decode(row.bytes(0)).reversed()
            return successes.count < Int(SubscriptionLedger.successesKept)
        }
        let kept = successes.prefix(Int(SubscriptionLedger.successesKept)).filter { $0.time <= until }
        // Both lists are in order already; the ties of one millisecond stay in theirs.
        return Array((failures + kept).sorted { $0.time > $1.time }.prefix(limit))
    }

    /// - Returns: rows removed.
    static func prune(now: Timestamp, _ connection: Connection) throws(DatabaseError) -> Int {
        try connection.run(
            "DELETE FROM attempts WHERE time < ?1",
            .integer((now - SubscriptionLedger.failuresKept).milliseconds))
        var removed = connection.changes
        for sink in try connection.all("SELECT DISTINCT sink FROM successes", read: { $0.text(0) }) {
            removed += try prune(sink, connection)
        }
        return removed
    }

    /// Removes chunks that lie wholly behind the successes that are kept.
    private static func prune(_ sink: String, _ connection: Connection) throws(DatabaseError) -> Int {
        var sum: Int64 = 0
        var last: Int64?
        try connection.forEach(
            "SELECT id, count FROM successes WHERE sink = ?1 ORDER BY id DESC", [.text(sink)]
        ) { row in
            sum += row.integer(1)
            guard sum >= SubscriptionLedger.successesKept else { return true }
            last = row.integer(0)
            return false
        }
        guard let last else { return 0 }
        try connection.run(
            "DELETE FROM successes WHERE sink = ?1 AND id < ?2", .text(sink), .integer(last))
        return connection.changes
    }

    // MARK: - Dead letters

    /// - Parameters:
    ///   - sink: nil lists those of every sink.
    ///   - after: the id of the last one seen; 0 begins at the oldest.
    static func deadLetters(
        of sink: String?, after: Int64, limit: Int, _ connection: Connection
    ) throws(DatabaseError) -> [DeadLetterRecord] {
        try connection.all(
            """
            SELECT d.id, d.sink, d.offset, d.attempts, d.died, d.status, d.reason, d.webhook_id, d.answer, e.id, e.type
            FROM dead d LEFT JOIN events e ON e.offset = d.offset
            WHERE d.id > ?1 AND (?2 IS NULL OR d.sink = ?2) ORDER BY d.id LIMIT ?3
            """, .integer(after), .optional(sink), .integer(Int64(limit))
        ) { row in
            DeadLetterRecord(
                id: row.integer(0), sink: row.text(1),
                letter: DeadLetter(
                    offset: row.integer(2), attempts: Int(row.integer(3)),
                    died: Timestamp(milliseconds: row.integer(4)),
                    status: row.optionalInteger(5).map(Int.init), reason: row.text(6),
                    webhookID: row.optionalText(7), answer: row.bytes(8)),
                event: EventID(bytes: row.bytes(9)), type: row.optionalText(10))
        }
    }

    /// Moves dead letters of one sink back among those that wait, due at once; those whose event retention has removed
    /// stay dead.
    /// - Returns: the offsets that moved.
    static func redrive(
        _ ids: [Int64], of sink: String, now: Timestamp, _ connection: Connection
    ) throws(DatabaseError) -> [Int64] {
        var moved: [Int64] = []
        for id in ids {
            let found = try connection.first(
                """
                SELECT d.offset FROM dead d JOIN events e ON e.offset = d.offset WHERE d.id = ?1 AND d.sink = ?2
                """, .integer(id), .text(sink)
            ) { $0.integer(0) }
            guard let offset = found else { continue }
            try connection.run("DELETE FROM dead WHERE id = ?1", .integer(id))
            try connection.run(
                """
                INSERT INTO retries (sink, offset, attempts, due, first_failed, status, reason)
                VALUES (?1, ?2, 0, ?3, ?3, NULL, 'redriven')
                """, .text(sink), .integer(offset), .integer(now.milliseconds))
            moved.append(offset)
        }
        try connection.run(
            "UPDATE sinks SET dead = dead - ?2 WHERE name = ?1", .text(sink), .integer(Int64(moved.count)))
        return moved
    }
}
