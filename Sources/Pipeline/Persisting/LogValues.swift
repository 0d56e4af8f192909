package import EventModel

/// Which upstream list a page came from. Account and kind are its identity, the name is for people.
package struct SourceIdentity: Sendable, Hashable {
    package let account: String
    package let kind: SourceKind
    package let name: String

    package init(account: String, kind: SourceKind, name: String) {
        (self.account, self.kind, self.name) = (account, kind, name)
    }
}

/// Where a source stands: stored in the same transaction as the page that brought it there (promise L2).
package struct SourcePosition: Sendable, Equatable {
    /// The poller's own words, opaque to the log.
    package let state: String
    /// Everything upstream before this instant is in the log.
    package let watermark: Timestamp?

    package init(state: String, watermark: Timestamp?) {
        (self.state, self.watermark) = (state, watermark)
    }
}

/// What became of a page's rows: `read = stored + updated + duplicate + rejected + tooOld`.
package struct AppendResult: Sendable, Equatable {
    package internal(set) var stored = 0
    package internal(set) var updated = 0
    package internal(set) var duplicate = 0
    package internal(set) var rejected = 0
    package internal(set) var tooOld = 0
    /// The offsets of the events that came of it, page by page.
    package internal(set) var offsets: [ClosedRange<Int64>] = []

    package init() {}

    package var read: Int { stored + updated + duplicate + rejected + tooOld }

    package static func += (left: inout AppendResult, right: AppendResult) {
        left.stored += right.stored
        left.updated += right.updated
        left.duplicate += right.duplicate
        left.rejected += right.rejected
        left.tooOld += right.tooOld
        left.offsets += right.offsets
    }
}

/// A source as the store knows it.
package struct SourceRecord: Sendable {
    package let identity: SourceIdentity
    package let position: SourcePosition?
    /// When its latest page was stored.
    package let succeeded: Timestamp?
    package let totals: AppendResult
    /// Events made without a row: what was there and is gone.
    package let deleted: Int
    /// Rows that came back from quarantine and made an event, in no other count.
    package let recovered: Int
    /// Of a source that is read customer by customer; nil for all others.
    package let schedule: ScheduleCounts?
}

/// What failed for one sink and waits for its next attempt.
package struct RetryRow: Sendable, Equatable {
    package let offset: Int64
    /// Attempts made so far.
    package let attempts: Int
    package let due: Timestamp
    package let firstFailed: Timestamp
    package let status: Int?
    package let reason: String
    /// Offsets of a frozen batch, ascending, the first of them `offset`; empty for an event alone.
    package let members: [Int64]
    /// The ordering keys of its events; known when it was read from the store.
    package let keys: [String]

    package init(
        offset: Int64, attempts: Int, due: Timestamp, firstFailed: Timestamp, status: Int?, reason: String,
        members: [Int64] = [], keys: [String] = []
    ) {
        (self.offset, self.attempts, self.due) = (offset, attempts, due)
        (self.firstFailed, self.status, self.reason) = (firstFailed, status, reason)
        (self.members, self.keys) = (members, keys)
    }

    /// How many events wait in it.
    package var count: Int { max(1, members.count) }
}

/// An event one sink has given up, with the last answer.
package struct DeadLetter: Sendable, Equatable {
    package let offset: Int64
    package let attempts: Int
    package let died: Timestamp
    package let status: Int?
    package let reason: String
    /// Under which id it was sent; nil for sinks that have none.
    package let webhookID: String?
    /// The first bytes of the last answer.
    package let answer: [UInt8]

    package init(
        offset: Int64, attempts: Int, died: Timestamp, status: Int?, reason: String,
        webhookID: String? = nil, answer: [UInt8] = []
    ) {
        (self.offset, self.attempts, self.died, self.status, self.reason) = (
            offset, attempts, died, status, reason
        )
        (self.webhookID, self.answer) = (webhookID, answer)
    }
}

/// How far a sink has come: everything up to `position` is settled or kept as a retry row (promise L4), and so are the
/// ranges above it.
package struct SinkProgress: Sendable, Equatable {
    package var position: Int64
    /// Ascending, apart from each other and from `position`.
    package var settled: [ClosedRange<Int64>]

    package init(position: Int64, settled: [ClosedRange<Int64>] = []) {
        (self.position, self.settled) = (position, settled)
    }
}

/// What one sink has settled since its last update; stored in one transaction, so that its account always balances.
package struct SinkUpdate: Sendable {
    package var progress: SinkProgress
    package var delivered = 0
    package var filtered = 0
    package var dead: [DeadLetter] = []
    /// New or changed rows.
    package var waiting: [RetryRow] = []
    /// Offsets whose retry row is settled now.
    package var released: [Int64] = []
    /// Events that retention cut before they could be settled.
    package var expired = 0
    /// Every row that waits becomes due at this instant.
    package var makesAllDue: Timestamp?
    package var failures: [AttemptRecord] = []
    package var successes: [AttemptRecord] = []
    /// How the subscription stands, when that changed.
    package var health: SubscriptionHealth?
    /// What the log itself is told, in the same transaction.
    package var notices: [SubscriptionNotice] = []

    package init(progress: SinkProgress) {
        self.progress = progress
    }
}

/// A sink as the store knows it.
package struct SinkRecord: Sendable {
    package let name: String
    package let progress: SinkProgress
    package let delivered: Int64
    package let filtered: Int64
    package let dead: Int64
    package let expired: Int64
    /// Events that wait for another attempt.
    package let waiting: Int64
    /// The offset before its first event: its account begins here.
    package let start: Int64
    /// Everything that is not settled: above the position, and what waits below it. Counts as held while the
    /// subscription is not active.
    package let open: Int64
    /// Offset of the newest event when this was read.
    package let head: Int64
    /// Recorded time of the oldest event that is neither delivered, filtered nor dead; nil when nothing is pending.
    package let oldestPending: Timestamp?
    /// Nil for a sink that is no subscription.
    package let subscription: SubscriptionRecord?

    package var isActive: Bool { subscription.map { $0.health.state == .active } ?? true }
    package var pending: Int64 { isActive ? open : 0 }
    package var held: Int64 { isActive ? 0 : open }
    /// Every event since its start; the account balances when this is the sum of the others (promise L6).
    package var events: Int64 { head - start }
    package var isBalanced: Bool {
        events == delivered + filtered + dead + pending + held + expired
    }
}

/// Why an event is neither delivered nor ahead of a sink.
package enum EventTrouble: Sendable {
    /// It failed and will be tried again.
    case waiting
    case dead
}

/// Where a sink begins that the log has never seen.
package enum SinkStart: Sendable, Equatable {
    case beginning, now
    /// The first event to deliver.
    case offset(Int64)
    /// The first event recorded at or after this instant.
    case time(Timestamp)
}

/// The state of the log itself.
package struct LogSummary: Sendable {
    package let logID: String
    /// Offset of the newest event ever stored; 0 before the first.
    package let head: Int64
    /// Offset of the oldest event still kept; nil when none is.
    package let oldest: Int64?
    package let quarantined: Int64
    package let fileBytes: Int64
    package let freeBytes: Int64?
}

extension AppendResult {
    func with(offsetsOf events: [StoredEvent]) -> AppendResult {
        guard let first = events.first, let last = events.last else { return self }
        var result = self
        result.offsets = [first.offset...last.offset]
        return result
    }
}
