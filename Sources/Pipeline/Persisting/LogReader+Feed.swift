package import EventModel
import SQLite

/// Pages of the log as they go over the wire: the stored bytes, appended to one buffer.
extension LogReader {
    /// Rows that are looked at for one page, so that a filter which matches nothing holds nobody up.
    private static let scanned: Int64 = 20_000

    /// Events after an offset that pass the filter, until a bound is reached.
    /// - Parameters:
    ///   - limit: events.
    ///   - maxBytes: stops before an event that would exceed it, but never before the first.
    package func page(
        after offset: Int64, _ filter: EventFilter, limit: Int, maxBytes: Int
    ) throws(LogError) -> FeedPage {
        try reading { () throws(DatabaseError) in
            var page = FeedPage(next: offset)
            if filter.takesAll {
                try readAll(limit, maxBytes, into: &page)
            } else {
                try readSome(filter, limit, maxBytes, into: &page)
            }
            // Looked up last: what retention removed while the page was read is noticed by whoever compares.
            page.head = try connection.first("SELECT next_offset - 1 FROM head") { $0.integer(0) } ?? 0
            let oldest =
                try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) } ?? nil
            page.oldest = oldest ?? page.head + 1
            return page
        }
    }

    /// The first offset recorded at or after an instant; the next one to come when there is none.
    package func offset(recordedSince time: Timestamp) throws(LogError) -> Int64 {
        try reading { () throws(DatabaseError) in
            let ends = try connection.first("SELECT min(offset), max(offset) FROM events") {
                ($0.optionalInteger(0), $0.optionalInteger(1))
            }
            guard var low = ends?.0, var high = ends?.1 else {
                return try connection.first("SELECT next_offset FROM head") { $0.integer(0) } ?? 1
            }
            // `recorded` never decreases along the log, and no index is kept for it.
            high += 1
            while low < high {
                let middle = low + (high - low) / 2
                let recorded = try connection.first(
                    "SELECT recorded FROM events WHERE offset >= ?1 ORDER BY offset LIMIT 1", .integer(middle)
                ) { $0.integer(0) }
                if recorded.map({ $0 < time.milliseconds }) ?? false {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
    }

    /// One event by its id; nil when it never was or retention has removed it.
    package func event(id: EventID) throws(LogError) -> StoredEvent? {
        let offset = try reading { () throws(DatabaseError) in
            try connection.first("SELECT offset FROM events WHERE id = ?1", .blob(id.bytes)) { $0.integer(0) }
        }
        guard let offset else { return nil }
        return try event(at: offset)
    }

    private func readAll(_ limit: Int, _ maxBytes: Int, into page: inout FeedPage) throws(DatabaseError) {
        page.events.reserveCapacity(min(limit * 1024, maxBytes))
        try connection.forEach(
            "SELECT offset, body, length(body) FROM events WHERE offset > ?1 ORDER BY offset LIMIT ?2",
            [.integer(page.next), .integer(Int64(limit))]
        ) { row in
            if page.count > 0, page.events.count + Int(row.integer(2)) > maxBytes { return false }
            page.take(row, offset: 0, body: 1)
            return true
        }
    }

    private func readSome(
        _ filter: EventFilter, _ limit: Int, _ maxBytes: Int, into page: inout FeedPage
    ) throws(DatabaseError) {
        try connection.forEach(
            """
            SELECT e.offset, e.body, length(e.body), e.type, e.key, s.account
            FROM events e LEFT JOIN sources s ON s.id = e.source
            WHERE e.offset > ?1 ORDER BY e.offset LIMIT ?2
            """, [.integer(page.next), .integer(Self.scanned)]
        ) { row in
            guard filter.wants(type: row.text(3), account: row.optionalText(5), key: row.text(4)) else {
                page.next = row.integer(0)
                return true
            }
            if page.count > 0, page.events.count + Int(row.integer(2)) > maxBytes { return false }
            page.take(row, offset: 0, body: 1)
            return page.count < limit
        }
    }
}

extension FeedPage {
    fileprivate mutating func take(_ row: borrowing Row, offset: Int32, body: Int32) {
        if count > 0 { events.append(UInt8(ascii: ",")) }
        row.append(body, to: &events)
        next = row.integer(offset)
        count += 1
    }
}
