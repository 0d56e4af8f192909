import EventModel
import Persisting

/// New events, as they come from the log.
extension LaneMachine {
    /// New events at the head of the log, which every lane is told of. One that is behind, or has enough, reads for itself.
    mutating func offered(_ events: [StoredEvent]) {
        guard let first = events.first, let last = events.last, last.offset > ledger.window.taken else {
            return
        }
        guard wantsMore, !isReading, first.offset <= ledger.window.taken + 1 else {
            mayHaveMore = true
            return
        }
        take(events)
    }

    /// What a reading brought; nothing when the head was reached.
    mutating func received(_ events: [StoredEvent]) {
        isReading = false
        mayHaveMore = !events.isEmpty
        take(events)
    }

    /// A reading failed and is done again later.
    mutating func readingFailed() {
        isReading = false
        mayHaveMore = true
    }

    /// Retention has cut everything below an offset, whoever still needed it: what waited there is gone, and so is what was
    /// not read yet. What is in memory or under way is still delivered.
    mutating func cut(below end: Int64) {
        for (offset, row) in rows.rows where !rows.isBusy(offset) && (row.members.last ?? offset) < end {
            expire(offset)
        }
        if ledger.window.taken + 1 < end { ledger.expired((ledger.window.taken + 1)...(end - 1)) }
    }

    private mutating func take(_ events: [StoredEvent]) {
        // Offsets are dense: a gap is what retention has cut.
        if let first = events.first, ledger.window.taken + 1 < first.offset {
            ledger.expired((ledger.window.taken + 1)...(first.offset - 1))
        }
        var run: ClosedRange<Int64>?
        for event in events where event.offset > ledger.window.taken {
            if isSettledAhead {
                takeOne(event)
            } else if selection.wants(event) {
                flush(&run)
                ledger.took(event.offset)
                fresh.append(event)
            } else if let begun = run {
                run = begun.lowerBound...event.offset
            } else {
                run = (ledger.window.taken + 1)...event.offset
            }
        }
        flush(&run)
    }

    /// After a restart there may be settled offsets above those that were taken.
    private var isSettledAhead: Bool {
        ledger.window.progress.settled.last.map { $0.upperBound > ledger.window.taken } ?? false
    }

    private mutating func takeOne(_ event: StoredEvent) {
        let isSettled = ledger.window.isSettled(event.offset)
        ledger.took(event.offset)
        if isSettled { return }
        if selection.wants(event) { fresh.append(event) } else { ledger.filtered(event.offset) }
    }

    private mutating func flush(_ run: inout ClosedRange<Int64>?) {
        if let unwanted = run { ledger.filtered(unwanted) }
        run = nil
    }
}
