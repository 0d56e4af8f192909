import EventModel
import SQLite

/// Looks at a store for everything that the log never writes: what `check --store` says. Reads all of it, as of one commit.
///
///     file      SQLite's own examination
///     log       offsets dense, recorded times in order, each event's bytes say what its row says
///     keys      every kept first revision has its key
///     sinks     positions within the log, settled ranges apart and above them, retry rows where they can be
///     account   everything balances, counted (`Audit`)
struct StoreExamination {
    let connection: Connection

    func problems() throws(DatabaseError) -> [String] {
        let file = try connection.all("PRAGMA integrity_check(20)") { $0.text(0) }.filter { $0 != "ok" }
        // What stands on a damaged file says nothing.
        guard file.isEmpty else { return file }
        guard let head = try connection.first("SELECT next_offset - 1, recorded FROM head", read: Self.pair)
        else { return ["the row that gives out offsets is missing"] }
        let audit = try AccountReading(connection: connection, isThorough: true).audit()
        return try log(head: head.0, recorded: head.1) + keys() + sinks(audit.log)
            + audit.discrepancies.map(\.description)
    }

    private static func pair(_ row: borrowing Row) -> (Int64, Int64) { (row.integer(0), row.integer(1)) }

    // MARK: - The log

    private func log(head: Int64, recorded: Int64) throws(DatabaseError) -> [String] {
        var (problems, last): ([String], (offset: Int64, recorded: Int64)?) = ([], nil)
        var (gaps, disorder, foreign): (Int64, Int64, Int64) = (0, 0, 0)
        try connection.forEach(
            // 113 bytes are the slots: the bodies themselves stay on their pages.
            "SELECT offset, id, recorded, substr(body, 1, 114) FROM events ORDER BY offset", []
        ) { row in
            let (offset, time) = (row.integer(0), row.integer(2))
            if let last {
                if offset != last.offset + 1 { gaps += 1 }
                if time < last.recorded { disorder += 1 }
            }
            if !Self.agrees(row) { foreign += 1 }
            last = (offset, time)
            return true
        }
        if gaps > 0 { problems.append("log: offsets have \(gaps) gaps") }
        if disorder > 0 { problems.append("log: \(disorder) events are recorded before the one before them") }
        if foreign > 0 { problems.append("log: \(foreign) events do not say what their rows say") }
        if let last, last.offset != head {
            problems.append("log: the newest event is \(last.offset), the head is \(head)")
        }
        if let last, last.recorded > recorded {
            problems.append("log: the newest event is recorded later than the head")
        }
        return problems
    }

    /// The front of an event's bytes against its row: id, offset, recorded time.
    private static func agrees(_ row: borrowing Row) -> Bool {
        guard let id = EventID(bytes: row.bytes(1)) else { return false }
        return row.bytes(3)
            == EventSlots.front(
                id: id, offset: row.integer(0), recorded: Timestamp(milliseconds: row.integer(2)))
    }

    // MARK: - Keys

    private func keys() throws(DatabaseError) -> [String] {
        let sources = try connection.all("SELECT id, name, kind, expired_time FROM sources ORDER BY name") {
            ($0.integer(0), $0.text(1), $0.text(2), $0.optionalInteger(3))
        }
        var problems: [String] = []
        // With expired keys a kept event may have lost its key; its time says nothing certain about that.
        for (id, name, kind, expired) in sources where expired == nil {
            guard let kind = SourceKind(rawValue: kind) else {
                problems.append("source \(name): its kind is unknown")
                continue
            }
            let missing = try connection.first(
                """
                SELECT count(*) FROM events e WHERE e.source = ?1 AND e.type = ?2 AND NOT EXISTS
                    (SELECT 1 FROM dedup d WHERE d.source = e.source AND d.first_id = e.id)
                """, .integer(id), .text(kind.createdType)
            ) { $0.integer(0) }
            if let missing, missing > 0 {
                problems.append(
                    "source \(name): \(missing) events have no dedup key, their rows would come twice")
            }
        }
        return problems
    }

    // MARK: - Sinks

    private func sinks(_ log: LogAccount) throws(DatabaseError) -> [String] {
        let sinks = try connection.all("SELECT name, position, settled FROM sinks ORDER BY name") {
            (name: $0.text(0), position: $0.integer(1), settled: $0.text(2))
        }
        var problems: [String] = []
        for sink in sinks {
            let waiting = try connection.all("SELECT offset FROM retries WHERE sink = ?1", .text(sink.name)) {
                $0.integer(0)
            }
            problems += SinkExamination(
                position: sink.position, settled: sink.settled, waiting: waiting, head: log.head,
                oldest: log.oldest
            ).problems.map { "sink \(sink.name): \($0)" }
        }
        return problems
    }
}

/// What cannot be of a sink's progress. Pure.
struct SinkExamination {
    let position: Int64
    /// As the store has it.
    let settled: String
    let waiting: [Int64]
    let head: Int64
    let oldest: Int64

    var problems: [String] {
        let ranges = SinkLedger.decode(settled)
        var found: [String] = []
        if position < 0 || position > head {
            found.append("position \(position) is not in the log (head \(head))")
        }
        if SinkLedger.encode(ranges) != settled { found.append("its settled ranges cannot be read") }
        // One range after the other, with an open offset between each: else they would be one.
        let borders = [position...position] + ranges
        if zip(borders, ranges).contains(where: { $1.lowerBound <= $0.upperBound + 1 }) {
            found.append("its settled ranges are not apart")
        }
        if ranges.contains(where: { $0.upperBound > head }) {
            found.append("a settled range is above the head")
        }
        let lost = waiting.count { $0 < oldest }
        if lost > 0 { found.append("\(lost) events that wait are not in the log any more") }
        let stray = waiting.count { offset in
            offset > position && !ranges.contains { $0.contains(offset) }
        }
        if stray > 0 { found.append("\(stray) events wait and are open too") }
        return found
    }
}
