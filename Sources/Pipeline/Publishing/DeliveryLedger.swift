import EventModel
import Persisting

/// What has become of a sink's deliveries since its last write: window, counts, retry rows, dead letters, attempts. Pure.
struct DeliveryLedger {
    private(set) var window: DeliveryWindow
    private var update: SinkUpdate
    private var waiting: [Int64: RetryRow] = [:]
    private var released: Set<Int64> = []
    private(set) var isDirty = false
    /// Whether a crash now would cost nothing but looking at events again.
    private(set) var hasOnlyFiltered = true

    /// More successes than this between two writes are not kept: the store forgets them anyway.
    private static let successesKept = 1000

    init(_ progress: SinkProgress) {
        window = DeliveryWindow(progress)
        update = SinkUpdate(progress: progress)
    }

    mutating func took(_ offset: Int64) {
        window.took(offset)
    }

    mutating func filtered(_ offset: Int64) {
        update.filtered += 1
        window.settled(offset)
        isDirty = true
    }

    /// A run of events none of which is wanted, following the last one taken with nothing open before it.
    mutating func filtered(_ offsets: ClosedRange<Int64>) {
        update.filtered += offsets.count
        window.settled(offsets)
        isDirty = true
    }

    /// - Parameter wasWaiting: the delivery came from a retry row, which goes.
    mutating func delivered(_ offset: Int64, wasWaiting: Bool) {
        update.delivered += 1
        if wasWaiting { release(offset) }
        settle(offset)
    }

    /// A batch whose row is at its first member's offset.
    mutating func delivered(row offset: Int64, count: Int) {
        update.delivered += count
        release(offset)
    }

    mutating func died(_ letter: DeadLetter, wasWaiting: Bool) {
        update.dead.append(letter)
        if wasWaiting { release(letter.offset) }
        settle(letter.offset)
    }

    /// Retention has cut these before they were settled; what was settled ahead among them stays so.
    mutating func expired(_ offsets: ClosedRange<Int64>) {
        let isAhead = window.progress.settled.last.map { $0.upperBound > window.taken } ?? false
        if !isAhead, offsets.lowerBound == window.taken + 1 {
            update.expired += offsets.count
            window.settled(offsets)
        } else {
            for offset in offsets where !window.isSettled(offset) {
                update.expired += 1
                window.took(offset)
                window.settled(offset)
            }
            window.took(offsets.upperBound)
        }
        touch()
    }

    /// Retention has cut what waited here.
    mutating func expired(row offset: Int64, count: Int) {
        update.expired += count
        release(offset)
    }

    mutating func waits(_ row: RetryRow) {
        waiting[row.offset] = row
        settle(row.offset)
        for member in row.members { settle(member) }
    }

    /// A retry row goes without a verdict: another one takes its events over.
    mutating func release(_ offset: Int64) {
        waiting[offset] = nil
        released.insert(offset)
        touch()
    }

    mutating func makeAllDue(_ now: Timestamp) {
        update.makesAllDue = now
        for (offset, row) in waiting where row.due > now { waiting[offset] = row.due(at: now) }
        touch()
    }

    mutating func attempted(_ attempt: AttemptRecord) {
        touch()
        guard attempt.failure == nil else { return update.failures.append(attempt) }
        update.successes.append(attempt)
        if update.successes.count >= 2 * Self.successesKept {
            update.successes.removeFirst(update.successes.count - Self.successesKept)
        }
    }

    mutating func stands(_ health: SubscriptionHealth, telling notice: SubscriptionNotice? = nil) {
        update.health = health
        if let notice { update.notices.append(notice) }
        touch()
    }

    /// What is to be stored now; the ledger begins anew.
    mutating func take() -> SinkUpdate {
        update.progress = window.progress
        update.waiting = waiting.values.sorted { $0.offset < $1.offset }
        update.released = released.sorted()
        update.successes = update.successes.suffix(Self.successesKept)
        defer {
            update = SinkUpdate(progress: window.progress)
            (waiting, released, isDirty, hasOnlyFiltered) = ([:], [], false, true)
        }
        return update
    }

    /// The store refused an update: it stays to be stored with the next.
    mutating func putBack(_ refused: SinkUpdate) {
        var merged = refused
        merged.delivered += update.delivered
        merged.filtered += update.filtered
        merged.expired += update.expired
        merged.dead += update.dead
        merged.failures += update.failures
        merged.successes += update.successes
        merged.notices += update.notices
        merged.health = update.health ?? refused.health
        merged.makesAllDue = update.makesAllDue ?? refused.makesAllDue
        for row in refused.waiting where waiting[row.offset] == nil && !released.contains(row.offset) {
            waiting[row.offset] = update.makesAllDue.map { min($0, row.due) }.map { row.due(at: $0) } ?? row
        }
        released.formUnion(refused.released)
        (merged.waiting, merged.released) = ([], [])
        update = merged
        touch()
    }

    private mutating func settle(_ offset: Int64) {
        window.settled(offset)
        touch()
    }

    private mutating func touch() {
        (isDirty, hasOnlyFiltered) = (true, false)
    }
}

extension RetryRow {
    func due(at due: Timestamp) -> RetryRow {
        RetryRow(
            offset: offset, attempts: attempts, due: due, firstFailed: firstFailed, status: status,
            reason: reason, members: members, keys: keys)
    }
}
