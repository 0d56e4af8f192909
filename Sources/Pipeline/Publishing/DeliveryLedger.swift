import EventModel
import Persisting
import Ports

/// What has become of a sink's deliveries since its last write: window, counts, retry rows, dead letters. Pure.
struct DeliveryLedger {
    private(set) var window: DeliveryWindow
    private var update: SinkUpdate
    private(set) var isDirty = false

    init(_ progress: SinkProgress) {
        window = DeliveryWindow(progress)
        update = SinkUpdate(progress: progress)
    }

    mutating func took(_ offset: Int64) {
        window.took(offset)
    }

    mutating func filtered(_ offset: Int64) {
        update.filtered += 1
        settle(offset)
    }

    /// - Parameter wasWaiting: the delivery came from a retry row, which goes.
    mutating func delivered(_ offset: Int64, wasWaiting: Bool) {
        update.delivered += 1
        release(offset, wasWaiting)
    }

    mutating func died(_ letter: DeadLetter, wasWaiting: Bool) {
        update.dead.append(letter)
        release(letter.offset, wasWaiting)
    }

    mutating func waits(_ row: RetryRow) {
        update.waiting.append(row)
        settle(row.offset)
    }

    /// What is to be stored now; the ledger begins anew.
    mutating func take() -> SinkUpdate {
        update.progress = window.progress
        defer {
            update = SinkUpdate(progress: window.progress)
            isDirty = false
        }
        return update
    }

    /// The store refused an update: it stays to be stored with the next.
    mutating func putBack(_ refused: SinkUpdate) {
        var merged = refused
        merged.delivered += update.delivered
        merged.filtered += update.filtered
        merged.dead += update.dead
        let changed = Set(update.released + update.waiting.map(\.offset))
        merged.waiting = refused.waiting.filter { !changed.contains($0.offset) } + update.waiting
        merged.released += update.released
        update = merged
        isDirty = true
    }

    private mutating func release(_ offset: Int64, _ wasWaiting: Bool) {
        if wasWaiting { update.released.append(offset) }
        settle(offset)
    }

    private mutating func settle(_ offset: Int64) {
        window.settled(offset)
        isDirty = true
    }
}
