import EventModel
import SQLite

/// Reads the account from a store, all of it as of one commit: the caller holds a read transaction.
struct AccountReading {
    let connection: Connection
    /// Whether what the counts speak of is counted too; reads every page of the events.
    let isThorough: Bool

    func audit() throws(DatabaseError) -> Audit {
        let head = try connection.first("SELECT next_offset - 1 FROM head") { $0.integer(0) } ?? 0
        let oldest = try connection.first("SELECT min(offset) FROM events") { $0.optionalInteger(0) }
        let events = isThorough ? try countedEvents() : nil
        var log = LogAccount(head: head, oldest: (oldest ?? nil) ?? head + 1)
        log.counted = events.map { events in
            LogAccount.Counted(
                events: events.values.reduce(0, +), operational: events[Self.operational] ?? 0)
        }
        return Audit(
            log: log, sources: try sources(events), sinks: try sinks(head),
            closed: try SubscriptionLedger.closed(connection), replays: try ReplayLedger.all(connection))
    }

    /// Stands for the source of events that have none; sources are numbered from 1.
    private static let operational: Int64 = 0

    /// Events kept, by source.
    private func countedEvents() throws(DatabaseError) -> [Int64: Int64] {
        let counts = try connection.all(
            "SELECT coalesce(source, 0), count(*) FROM events GROUP BY source"
        ) { ($0.integer(0), $0.integer(1)) }
        return Dictionary(counts, uniquingKeysWith: +)
    }

    // MARK: - Sources

    private func sources(_ events: [Int64: Int64]?) throws(DatabaseError) -> [SourceAccount] {
        let found = try connection.all(
            """
            SELECT id, account, kind, name, rows_read, stored, updated, duplicate, rejected, too_old, deleted, forgotten,
                expired_time, recovered, recovered_updates, released
            FROM sources ORDER BY name
            """
        ) { row in
            (id: row.integer(0), hasExpired: row.optionalInteger(12) != nil, account: Self.source(row))
        }
        var accounts: [SourceAccount] = []
        for (id, hasExpired, account) in found {
            guard var account else { continue }
            if let events {
                account.counted = SourceAccount.Counted(
                    events: events[id] ?? 0, quarantined: try quarantined(id),
                    keys: hasExpired ? nil : try keys(id))
            }
            accounts.append(account)
        }
        return accounts
    }

    private static func source(_ row: borrowing Row) -> SourceAccount? {
        guard let kind = SourceKind(rawValue: row.text(2)) else { return nil }
        return SourceAccount(
            identity: SourceIdentity(account: row.text(1), kind: kind, name: row.text(3)),
            read: row.integer(4), stored: row.integer(5), updated: row.integer(6),
            duplicate: row.integer(7), rejected: row.integer(8), tooOld: row.integer(9),
            deleted: row.integer(10), forgotten: row.integer(11), recovered: row.integer(13),
            recoveredUpdates: row.integer(14), released: row.integer(15))
    }

    private func quarantined(_ source: Int64) throws(DatabaseError) -> Int64 {
        try connection.first("SELECT count(*) FROM quarantine WHERE source = ?1", .integer(source)) {
            $0.integer(0)
        } ?? 0
    }

    private func keys(_ source: Int64) throws(DatabaseError) -> SourceAccount.Keys? {
        try connection.first(
            "SELECT count(*), coalesce(sum(revision), 0) FROM dedup WHERE source = ?1", .integer(source)
        ) { SourceAccount.Keys(rows: $0.integer(0), revisions: $0.integer(1)) }
    }

    // MARK: - Sinks

    private func sinks(_ head: Int64) throws(DatabaseError) -> [SinkAccount] {
        let read = try connection.all(
            """
            SELECT s.name, s.start, s.position, s.settled, s.delivered, s.filtered, s.dead, s.expired,
                coalesce(b.state, 'active') = 'active'
            FROM sinks s LEFT JOIN subscriptions b ON b.sink = s.name ORDER BY s.name
            """
        ) { row in
            let settled = SinkLedger.decode(row.text(3)).reduce(0) { $0 + Int64($1.count) }
            let account = SinkAccount(
                name: row.text(0), events: head - row.integer(1), delivered: row.integer(4),
                filtered: row.integer(5), dead: row.integer(6), pending: head - row.integer(2) - settled,
                expired: row.integer(7))
            return (account: account, isFlowing: row.integer(8) != 0)
        }
        var accounts: [SinkAccount] = []
        for (account, isFlowing) in read {
            var account = account
            account.pending += try SinkLedger.waiting(account.name, connection)
            let lost = try SinkLedger.lost(account.name, connection)
            (account.pending, account.expired) = (account.pending - lost, account.expired + lost)
            if !isFlowing { (account.pending, account.held) = (0, account.pending) }
            accounts.append(account)
        }
        guard isThorough else { return accounts }
        for place in accounts.indices {
            accounts[place].deadLetters = try connection.first(
                "SELECT count(*) FROM dead WHERE sink = ?1", .text(accounts[place].name)
            ) { $0.integer(0) }
        }
        return accounts
    }
}
