import EventModel
import Foundation
import SQLite

/// The sinks' side of the store: positions, settled ranges, retry rows, dead letters, and the account over them.
enum SinkLedger {
    /// The sink's progress; a name seen for the first time gets its start, resolved once against the log.
    static func open(_ name: String, from start: SinkStart, in scope: inout LogWriter.Scope)
        throws(DatabaseError)
        -> SinkProgress
    {
        if let known = try progress(name, scope.connection) { return known }
        let position = try startPosition(start, scope)
        try scope.connection.run(
            "INSERT INTO sinks (name, start, position) VALUES (?1, ?2, ?2)", .text(name), .integer(position))
        return SinkProgress(position: position)
    }

    static func settle(_ name: String, _ update: SinkUpdate, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE sinks SET position = ?2, settled = ?3, delivered = delivered + ?4, filtered = filtered + ?5,
                dead = dead + ?6, expired = expired + ?7
            WHERE name = ?1
            """,
            .text(name), .integer(update.progress.position), .text(encode(update.progress.settled)),
            .integer(Int64(update.delivered)), .integer(Int64(update.filtered)),
            .integer(Int64(update.dead.count)), .integer(Int64(update.expired)))
        for offset in update.released {
            try connection.run(
                "DELETE FROM retries WHERE sink = ?1 AND offset = ?2", .text(name), .integer(offset))
        }
        if let due = update.makesAllDue {
            try connection.run(
                "UPDATE retries SET due = ?2 WHERE sink = ?1 AND due > ?2", .text(name),
                .integer(due.milliseconds))
        }
        for row in update.waiting { try keep(row, for: name, connection) }
        for letter in update.dead {
            try connection.run(
                """
                INSERT INTO dead (sink, offset, died, attempts, status, reason, webhook_id, answer)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                """,
                .text(name), .integer(letter.offset), .integer(letter.died.milliseconds),
                .integer(Int64(letter.attempts)), .optional(letter.status.map(Int64.init)),
                .text(letter.reason), .optional(letter.webhookID), .blob(letter.answer))
        }
    }

    /// Every row that waits, with the keys of its events.
    static func retries(_ name: String, _ connection: Connection) throws(DatabaseError) -> [RetryRow] {
        let rows = try connection.all(
            """
            SELECT r.offset, r.attempts, r.due, r.first_failed, r.status, r.reason, r.members, e.key
            FROM retries r LEFT JOIN events e ON e.offset = r.offset WHERE r.sink = ?1 ORDER BY r.offset
            """, .text(name), read: row)
        var complete: [RetryRow] = []
        for row in rows {
            guard !row.members.isEmpty else {
                complete.append(row)
                continue
            }
            var keys: Set<String> = []
            for member in row.members {
                let key = try connection.first(
                    "SELECT key FROM events WHERE offset = ?1", .integer(member)
                ) { $0.text(0) }
                if let key { keys.insert(key) }
            }
            complete.append(row.with(keys: keys.sorted()))
        }
        return complete
    }

    /// A page of what waits, without the ordering keys.
    static func retries(
        _ name: String, after offset: Int64, limit: Int, _ connection: Connection
    ) throws(DatabaseError) -> [RetryRow] {
        try connection.all(
            """
            SELECT offset, attempts, due, first_failed, status, reason, members, NULL
            FROM retries WHERE sink = ?1 AND offset > ?2 ORDER BY offset LIMIT ?3
            """, .text(name), .integer(offset), .integer(Int64(limit)), read: row)
    }

    /// A frozen batch waits as one row: the members are looked for in its list.
    static func troubles(at offset: Int64, _ connection: Connection) throws(DatabaseError)
        -> [String: EventTrouble]
    {
        var troubles: [String: EventTrouble] = [:]
        try connection.forEach("SELECT sink FROM dead WHERE offset = ?1", [.integer(offset)]) { row in
            troubles[row.text(0)] = .dead
            return true
        }
        try connection.forEach(
            """
            SELECT sink FROM retries
            WHERE offset = ?1 OR (members IS NOT NULL AND instr(',' || members || ',', ',' || ?1 || ',') > 0)
            """, [.integer(offset)]
        ) { row in
            troubles[row.text(0)] = .waiting
            return true
        }
        return troubles
    }

    private static func row(_ row: borrowing Row) -> RetryRow {
        RetryRow(
            offset: row.integer(0), attempts: Int(row.integer(1)),
            due: Timestamp(milliseconds: row.integer(2)),
            firstFailed: Timestamp(milliseconds: row.integer(3)),
            status: row.optionalInteger(4).map(Int.init), reason: row.text(5),
            members: (row.optionalText(6) ?? "").split(separator: ",").compactMap { Int64($0) },
            keys: row.optionalText(7).map { [$0] } ?? [])
    }

    /// How many events wait in rows.
    /// Events that a hard cut took and the sink has not come to yet: it will count them as expired, and they are told as such
    /// from the first moment.
    static func lost(_ name: String, _ connection: Connection) throws(DatabaseError) -> Int64 {
        let oldest = try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) } ?? nil
        let next = try connection.first("SELECT next_offset FROM head") { $0.integer(0) } ?? 1
        return try unsettled(name, below: oldest ?? next, connection)
    }

    /// How many events below an offset a sink has not settled.
    static func unsettled(
        _ name: String, below end: Int64, _ connection: Connection
    ) throws(DatabaseError) -> Int64 {
        guard let progress = try progress(name, connection) else { return 0 }
        let ahead = progress.settled.reduce(Int64(0)) { sum, range in
            sum + max(0, min(range.upperBound, end - 1) - range.lowerBound + 1)
        }
        let open = max(0, end - 1 - progress.position - ahead)
        return open + (try waiting(name, below: end, connection))
    }

    /// - Parameter end: only rows that begin before this offset.
    static func waiting(
        _ name: String, below end: Int64 = .max, _ connection: Connection
    ) throws(DatabaseError) -> Int64 {
        try connection.first(
            """
            SELECT coalesce(sum(CASE WHEN members IS NULL THEN 1
                ELSE length(members) - length(replace(members, ',', '')) + 1 END), 0)
            FROM retries WHERE sink = ?1 AND offset < ?2
            """, .text(name), .integer(end)
        ) { $0.integer(0) } ?? 0
    }

    static func progress(_ name: String, _ connection: Connection) throws(DatabaseError) -> SinkProgress? {
        try connection.first("SELECT position, settled FROM sinks WHERE name = ?1", .text(name)) {
            SinkProgress(position: $0.integer(0), settled: decode($0.text(1)))
        }
    }

    /// `[[3,7],[9,9]]`
    static func encode(_ ranges: [ClosedRange<Int64>]) -> String {
        "[" + ranges.map { "[\($0.lowerBound),\($0.upperBound)]" }.joined(separator: ",") + "]"
    }

    /// Anything that is not a list of ranges reads as none: the events in question are delivered again, never lost.
    static func decode(_ text: String) -> [ClosedRange<Int64>] {
        let numbers = text.split { "[],".contains($0) }.compactMap { Int64($0) }
        return stride(from: 0, to: numbers.count - 1, by: 2).compactMap { place in
            numbers[place] <= numbers[place + 1] ? numbers[place]...numbers[place + 1] : nil
        }
    }

    private static func keep(_ row: RetryRow, for name: String, _ connection: Connection)
        throws(DatabaseError)
    {
        try connection.run(
            """
            INSERT INTO retries (sink, offset, attempts, due, first_failed, status, reason, members)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (sink, offset) DO UPDATE SET attempts = excluded.attempts, due = excluded.due,
                first_failed = excluded.first_failed, status = excluded.status, reason = excluded.reason,
                members = excluded.members
            """,
            .text(name), .integer(row.offset), .integer(Int64(row.attempts)), .integer(row.due.milliseconds),
            .integer(row.firstFailed.milliseconds), .optional(row.status.map(Int64.init)), .text(row.reason),
            .optional(row.members.isEmpty ? nil : row.members.map(String.init).joined(separator: ",")))
    }

    /// The offset before the first event to deliver: never before the oldest kept one, because nothing could settle what
    /// retention has removed.
    private static func startPosition(
        _ start: SinkStart, _ scope: LogWriter.Scope
    ) throws(DatabaseError) -> Int64 {
        let head = scope.head.nextOffset - 1
        let kept = try scope.connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) }
        let beginning = ((kept ?? nil) ?? scope.head.nextOffset) - 1
        switch start {
        case .now:
            return head
        case .beginning:
            return beginning
        case .offset(let offset):
            return min(max(offset - 1, beginning), head)
        case .time(let time):
            let first = try scope.connection.first(
                "SELECT min(offset) FROM events WHERE recorded >= ?1", .integer(time.milliseconds)
            ) { $0.optionalInteger(0) }
            return ((first ?? nil) ?? scope.head.nextOffset) - 1
        }
    }
}

extension RetryRow {
    fileprivate func with(keys: [String]) -> RetryRow {
        RetryRow(
            offset: offset, attempts: attempts, due: due, firstFailed: firstFailed, status: status,
            reason: reason, members: members, keys: keys)
    }
}
