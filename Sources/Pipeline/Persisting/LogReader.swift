package import EventModel
import Foundation
import SQLite
package import Services

/// Reads a store through a connection of its own: beside the writer of this process, or beside another process's relay.
///
/// Never blocks the writer (WAL) and holds no snapshot between calls.
package actor LogReader {
    private let queue: BlockingQueue
    let connection: Connection
    private let path: String

    package nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// Opens an existing store for reading.
    /// - Throws: `.missing` when there is none, `.foreign` when it is not one of ours, or of an older format that only a
    ///   relay's start brings up to date.
    package init(
        path: String, queue: BlockingQueue = BlockingQueue(label: "millrace.log.reader")
    ) throws(LogError) {
        let doing = "read the store \(path)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw LogError(.missing, doing: doing, cause: "there is no such file")
        }
        let connection: Connection
        do throws(DatabaseError) {
            connection = try Connection(path: path, access: .readOnly, busyTimeout: .seconds(5))
        } catch {
            throw LogError(error, doing: doing)
        }
        if try StoreFormat.isNew(connection, path: path) {
            throw LogError(.missing, doing: doing, cause: "the store is still empty")
        }
        try StoreFormat.requireCurrent(connection, doing: doing)
        self.path = path
        self.connection = connection
        self.queue = queue
    }

    /// Events after an offset, ascending; empty at the head.
    /// - Parameter maxBytes: stops before a body that would exceed it, but never before the first.
    package func events(after offset: Int64, limit: Int, maxBytes: Int = .max) throws(LogError)
        -> [StoredEvent]
    {
        try reading { () throws(DatabaseError) in
            var events: [StoredEvent] = []
            var bytes = 0
            try connection.forEach(
                """
                SELECT e.offset, e.id, e.type, e.key, e.recorded, e.body, s.account, s.kind
                FROM events e LEFT JOIN sources s ON s.id = e.source
                WHERE e.offset > ?1 ORDER BY e.offset LIMIT ?2
                """, [.integer(offset), .integer(Int64(limit))]
            ) { row in
                let event = Self.event(row)
                bytes += event.body.count
                if !events.isEmpty, bytes > maxBytes { return false }
                events.append(event)
                return true
            }
            return events
        }
    }

    /// One event; nil when retention has removed it or it never was.
    package func event(at offset: Int64) throws(LogError) -> StoredEvent? {
        try events(after: offset - 1, limit: 1).first { $0.offset == offset }
    }

    /// Changes when another connection has committed: lets a follower look without reading.
    package func dataVersion() throws(LogError) -> Int64 {
        try reading { () throws(DatabaseError) in
            try connection.first("PRAGMA data_version") { $0.integer(0) } ?? 0
        }
    }

    package func summary() throws(LogError) -> LogSummary {
        let read = try reading { () throws(DatabaseError) in
            (
                try connection.first("SELECT value FROM meta WHERE key = 'log_id'") { $0.text(0) } ?? "",
                try connection.first("SELECT next_offset - 1 FROM head") { $0.integer(0) } ?? 0,
                try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) },
                try connection.first("SELECT count(*) FROM quarantine") { $0.integer(0) } ?? 0
            )
        }
        return LogSummary(
            logID: read.0, head: read.1, oldest: read.2 ?? nil, quarantined: read.3,
            fileBytes: fileBytes, freeBytes: freeBytes)
    }

    package func sources() throws(LogError) -> [SourceRecord] {
        try reading { () throws(DatabaseError) in
            let schedules = try schedules()
            return try connection.all(
                """
                SELECT account, kind, name, position, watermark, succeeded, stored, updated, duplicate, rejected, too_old,
                    deleted, id, recovered
                FROM sources ORDER BY name
                """
            ) { row in Self.source(row, schedules) }.compactMap { $0 }
        }
    }

    /// Who is next in a schedule over customers.
    package func scheduleHead(
        of source: SourceIdentity, at now: Timestamp
    ) throws(LogError) -> ScheduleHead {
        try reading { () throws(DatabaseError) in
            guard let id = try sourceID(source) else { return ScheduleHead(wanted: nil, oldest: nil) }
            return try CustomerLedger.head(source: id, now: now, connection)
        }
    }

    /// Reads the whole schedule's index once.
    package func scheduleCounts(of source: SourceIdentity) throws(LogError) -> ScheduleCounts {
        try reading { () throws(DatabaseError) in
            try CustomerLedger.counts(source: try sourceID(source) ?? 0, connection)
        }
    }

    /// By the sources' numbers.
    private func schedules() throws(DatabaseError) -> [Int64: ScheduleCounts] {
        var schedules: [Int64: ScheduleCounts] = [:]
        let sources = try connection.all("SELECT id, kind FROM sources") { ($0.integer(0), $0.text(1)) }
        for (id, kind) in sources where SourceKind(rawValue: kind)?.isPerCustomer == true {
            schedules[id] = try CustomerLedger.counts(source: id, connection)
        }
        return schedules
    }

    private func sourceID(_ source: SourceIdentity) throws(DatabaseError) -> Int64? {
        try connection.first(
            "SELECT id FROM sources WHERE account = ?1 AND kind = ?2", .text(source.account),
            .text(source.kind.rawValue)
        ) { $0.integer(0) }
    }

    package func sinks() throws(LogError) -> [SinkRecord] {
        let names = try reading { () throws(DatabaseError) in
            try connection.all("SELECT name FROM sinks ORDER BY name") { $0.text(0) }
        }
        var records: [SinkRecord] = []
        for name in names {
            if let record = try sink(name) { records.append(record) }
        }
        return records
    }

    package func sink(_ name: String) throws(LogError) -> SinkRecord? {
        try consistently { () throws(DatabaseError) in
            guard let progress = try SinkLedger.progress(name, connection) else { return nil }
            let counts = try connection.first(
                "SELECT delivered, filtered, dead, expired, start FROM sinks WHERE name = ?1", .text(name)
            ) { ($0.integer(0), $0.integer(1), $0.integer(2), $0.integer(3), $0.integer(4)) }
            let waiting = try SinkLedger.waiting(name, connection)
            let head = try connection.first("SELECT next_offset - 1 FROM head") { $0.integer(0) } ?? 0
            let settled = progress.settled.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 }
            let oldest = try connection.first(
                """
                SELECT recorded FROM events WHERE offset = (SELECT min(o) FROM (
                    SELECT min(offset) AS o FROM retries WHERE sink = ?1
                    UNION ALL SELECT min(offset) FROM events WHERE offset > ?2))
                """, .text(name), .integer(progress.position)
            ) { Timestamp(milliseconds: $0.integer(0)) }
            let lost = try SinkLedger.lost(name, connection)
            return SinkRecord(
                name: name, progress: progress, delivered: counts?.0 ?? 0, filtered: counts?.1 ?? 0,
                dead: counts?.2 ?? 0, expired: (counts?.3 ?? 0) + lost, waiting: waiting,
                start: counts?.4 ?? 0,
                open: head - progress.position - settled + waiting - lost, head: head, oldestPending: oldest,
                subscription: try SubscriptionLedger.find(sink: name, connection))
        }
    }

    /// Several statements over one state of the store: an account read between two commits would not balance.
    private func consistently<T>(_ body: () throws(DatabaseError) -> T) throws(LogError) -> T {
        try reading { () throws(DatabaseError) in
            try connection.run("BEGIN")
            do throws(DatabaseError) {
                let value = try body()
                try connection.run("COMMIT")
                return value
            } catch {
                try connection.run("ROLLBACK")
                throw error
            }
        }
    }

    func reading<T>(_ body: () throws(DatabaseError) -> T) throws(LogError) -> T {
        do throws(DatabaseError) {
            return try body()
        } catch {
            throw LogError(error, doing: "read the store")
        }
    }

    /// Everything `body` reads is of one commit, whatever the writer does meanwhile.
    func atOneCommit<T>(_ body: (Connection) throws(DatabaseError) -> T) throws(LogError) -> T {
        try reading { () throws(DatabaseError) in
            try connection.run("BEGIN")
            do throws(DatabaseError) {
                let result = try body(connection)
                try connection.run("COMMIT")
                return result
            } catch {
                connection.rollBack()
                throw error
            }
        }
    }

    private var fileBytes: Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    private var freeBytes: Int64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }

    private static func event(_ row: borrowing Row) -> StoredEvent {
        StoredEvent(
            offset: row.integer(0),
            id: EventID(bytes: row.bytes(1))
                ?? EventID(time: Timestamp(seconds: 0), digest: [UInt8](repeating: 0, count: 10)),
            type: row.text(2), account: row.optionalText(6),
            kind: row.optionalText(7).flatMap(SourceKind.init),
            key: row.text(3), recorded: Timestamp(milliseconds: row.integer(4)), body: row.bytes(5))
    }

    private static func source(
        _ row: borrowing Row, _ schedules: [Int64: ScheduleCounts]
    ) -> SourceRecord? {
        guard let kind = SourceKind(rawValue: row.text(1)) else { return nil }
        var totals = AppendResult()
        totals.stored = Int(row.integer(6))
        totals.updated = Int(row.integer(7))
        totals.duplicate = Int(row.integer(8))
        totals.rejected = Int(row.integer(9))
        totals.tooOld = Int(row.integer(10))
        let watermark = row.optionalInteger(4).map(Timestamp.init(milliseconds:))
        return SourceRecord(
            identity: SourceIdentity(account: row.text(0), kind: kind, name: row.text(2)),
            position: row.optionalText(3).map { SourcePosition(state: $0, watermark: watermark) },
            succeeded: row.optionalInteger(5).map(Timestamp.init(milliseconds:)), totals: totals,
            deleted: Int(row.integer(11)), recovered: Int(row.integer(13)),
            schedule: schedules[row.integer(12)])
    }
}
