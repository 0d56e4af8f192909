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
                dead = dead + ?6
            WHERE name = ?1
            """,
            .text(name), .integer(update.progress.position), .text(encode(update.progress.settled)),
            .integer(Int64(update.delivered)), .integer(Int64(update.filtered)),
            .integer(Int64(update.dead.count)))
        for offset in update.released {
            try connection.run(
                "DELETE FROM retries WHERE sink = ?1 AND offset = ?2", .text(name), .integer(offset))
        }
        for row in update.waiting { try keep(row, for: name, connection) }
        for letter in update.dead {
            try connection.run(
                "INSERT INTO dead (sink, offset, died, attempts, status, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                .text(name), .integer(letter.offset), .integer(letter.died.milliseconds),
                .integer(Int64(letter.attempts)), .optional(letter.status.map(Int64.init)),
                .text(letter.reason))
        }
    }

    /// Retry rows whose time has come, the oldest due first.
    static func due(
        _ name: String, at now: Timestamp, limit: Int, _ connection: Connection
    ) throws(DatabaseError) -> [RetryRow] {
        try connection.all(
            """
            SELECT offset, attempts, due, first_failed, status, reason FROM retries
            WHERE sink = ?1 AND due <= ?2 ORDER BY due, offset LIMIT ?3
            """,
            .text(name), .integer(now.milliseconds), .integer(Int64(limit))
        ) { row in
            RetryRow(
                offset: row.integer(0), attempts: Int(row.integer(1)),
                due: Timestamp(milliseconds: row.integer(2)),
                firstFailed: Timestamp(milliseconds: row.integer(3)),
                status: row.optionalInteger(4).map(Int.init), reason: row.text(5))
        }
    }

    /// When the first retry row that is not due yet will be, and how many rows there are in all.
    static func waiting(
        _ name: String, after now: Timestamp, _ connection: Connection
    ) throws(DatabaseError) -> (next: Timestamp?, count: Int64) {
        let next = try connection.first(
            "SELECT min(due) FROM retries WHERE sink = ?1 AND due > ?2", .text(name),
            .integer(now.milliseconds)
        ) { $0.optionalInteger(0).map(Timestamp.init(milliseconds:)) }
        let count = try connection.first("SELECT count(*) FROM retries WHERE sink = ?1", .text(name)) {
            $0.integer(0)
        }
        return (next ?? nil, count ?? 0)
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
            INSERT INTO retries (sink, offset, attempts, due, first_failed, status, reason)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (sink, offset) DO UPDATE SET attempts = excluded.attempts, due = excluded.due,
                status = excluded.status, reason = excluded.reason
            """,
            .text(name), .integer(row.offset), .integer(Int64(row.attempts)), .integer(row.due.milliseconds),
            .integer(row.firstFailed.milliseconds), .optional(row.status.map(Int64.init)), .text(row.reason))
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
