/// The account that must balance: every row read and every event stored, and what became of it (promise L6). Pure.
///
///     source   rows read = stored + updated + duplicate + rejected + too old      deletions apart
///     sink     events    = delivered + filtered + dead + pending + held + expired from where it began
///     closed   events    = delivered + filtered + dead + open + expired           until it was reset or deleted
///     replay   events    = delivered + filtered + dead + expired + pending        of its range
///
/// The terms are counted in the transactions that do what they count. A thorough audit also counts what the store holds
/// and compares: events in the log, keys, quarantine, dead letters. To add a term: its column, its line here.
package struct Audit: Sendable {
    package let log: LogAccount
    package let sources: [SourceAccount]
    package let sinks: [SinkAccount]
    package let closed: [ClosedAccount]
    package let replays: [ReplayRecord]

    package init(
        log: LogAccount, sources: [SourceAccount], sinks: [SinkAccount], closed: [ClosedAccount] = [],
        replays: [ReplayRecord] = []
    ) {
        (self.log, self.sources, self.sinks) = (log, sources, sinks)
        (self.closed, self.replays) = (closed, replays)
    }

    package var balances: Bool { discrepancies.isEmpty }

    /// Everything that does not balance: the log first, then sources, then sinks, then what is kept apart.
    package var discrepancies: [Discrepancy] {
        log.discrepancies(sources) + sources.flatMap(\.discrepancies) + sinks.flatMap(\.discrepancies)
            + closed.flatMap(\.discrepancies) + replays.flatMap(\.discrepancies)
    }
}

/// One equation whose sides differ.
package struct Discrepancy: Sendable, Hashable, CustomStringConvertible {
    /// `source visits`, `sink kafka`, `log`
    package let account: String
    package let term: String
    package let counted: Int64
    /// What it should be equal to, in words.
    package let sum: String
    package let found: Int64

    package var difference: Int64 { counted - found }

    package var description: String {
        "\(account): \(term) is \(counted), but \(sum) is \(found) (difference \(difference))"
    }

    /// Nil when both sides are equal.
    init?(_ account: String, _ term: String, _ counted: Int64, is sum: String, _ found: Int64) {
        guard counted != found else { return nil }
        (self.account, self.term, self.counted) = (account, term, counted)
        (self.sum, self.found) = (sum, found)
    }
}

/// The log as a whole.
package struct LogAccount: Sendable, Equatable {
    /// Offset of the newest event ever stored.
    package var head: Int64
    /// Offset of the oldest event kept; `head + 1` when none is.
    package var oldest: Int64
    /// What a thorough audit counted; nil in a quick one.
    package var counted: Counted?

    package struct Counted: Sendable, Equatable {
        package var events: Int64
        /// Events of the relay itself, which no source counts.
        package var operational: Int64
    }

    /// Events that retention has removed.
    package var removed: Int64 { oldest - 1 }

    func discrepancies(_ sources: [SourceAccount]) -> [Discrepancy] {
        guard let counted else { return [] }
        let ofSources = sources.reduce(0) { $0 + ($1.counted?.events ?? 0) }
        let gone = sources.reduce(0) { $0 + $1.forgotten }
        return [
            Discrepancy("log", "head - oldest + 1", head - oldest + 1, is: "events kept", counted.events),
            Discrepancy(
                "log", "events kept", counted.events, is: "events of all sources + operational",
                ofSources + counted.operational),
            gone > removed
                ? Discrepancy("log", "events removed", removed, is: "those of the sources", gone) : nil,
        ].compactMap { $0 }
    }
}

/// What has become of every row a source has read since its first day.
package struct SourceAccount: Sendable, Equatable {
    package let identity: SourceIdentity
    package var read: Int64
    package var stored: Int64
    package var updated: Int64
    package var duplicate: Int64
    package var rejected: Int64
    package var tooOld: Int64
    /// Events made without a row.
    package var deleted: Int64
    /// Its events that retention has removed.
    package var forgotten: Int64
    /// Events of rows that came back from quarantine: those rows were counted as rejected when they were read.
    package var recovered: Int64
    /// Those of them that are later revisions.
    package var recoveredUpdates: Int64
    /// Rows that have left quarantine, also those of which no event came because they were known by then.
    package var released: Int64
    /// What a thorough audit counted; nil in a quick one.
    package var counted: Counted?

    package struct Counted: Sendable, Equatable {
        package var events: Int64
        package var quarantined: Int64
        /// Rows that are known, and their revisions; nil once keys have expired.
        package var keys: Keys?
    }

    package struct Keys: Sendable, Equatable {
        package var rows: Int64
        package var revisions: Int64
    }

    var discrepancies: [Discrepancy] {
        let whose = "source \(identity.name)"
        var found = [
            Discrepancy(
                whose, "rows read", read, is: "stored + updated + duplicate + rejected + too_old",
                stored + updated + duplicate + rejected + tooOld)
        ]
        guard let counted else { return found.compactMap { $0 } }
        found.append(
            Discrepancy(
                whose, "stored + updated + deleted + recovered", stored + updated + deleted + recovered,
                is: "its events in the log + those retention removed", counted.events + forgotten))
        found.append(
            Discrepancy(
                whose, "rejected", rejected, is: "its rows in quarantine + those that left it",
                counted.quarantined + released))
        guard let keys = counted.keys else { return found.compactMap { $0 } }
        found.append(
            Discrepancy(
                whose, "stored + recovered rows", stored + recovered - recoveredUpdates,
                is: "its dedup keys", keys.rows))
        found.append(
            Discrepancy(
                whose, "updated + deleted + recovered revisions", updated + deleted + recoveredUpdates,
                is: "later revisions of its dedup keys",
                keys.revisions - keys.rows))
        return found.compactMap { $0 }
    }
}

/// What has become of every event a sink had to settle since its start.
package struct SinkAccount: Sendable, Equatable {
    package let name: String
    /// Events it has had to deal with: all above the offset it began at.
    package var events: Int64
    package var delivered: Int64
    package var filtered: Int64
    package var dead: Int64
    /// Above the position and not settled there, or failed and waiting.
    package var pending: Int64
    /// Pending events of a sink that is paused or disabled.
    package var held: Int64 = 0
    /// Cut by retention before they were settled.
    package var expired: Int64 = 0
    /// What a thorough audit counted; nil in a quick one.
    package var deadLetters: Int64?

    var discrepancies: [Discrepancy] {
        let whose = "sink \(name)"
        return [
            Discrepancy(
                whose, "events", events, is: "delivered + filtered + dead + pending + held + expired",
                delivered + filtered + dead + pending + held + expired),
            deadLetters.flatMap { Discrepancy(whose, "dead", dead, is: "its dead letters", $0) },
        ].compactMap { $0 }
    }
}
