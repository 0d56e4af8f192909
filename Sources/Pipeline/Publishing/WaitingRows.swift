import EventModel

/// What failed and waits, in memory as in the store: which row is due next, and with ordered keys which may go at all.
/// Pure.
///
/// A row is `busy` from being chosen until its verdict. With ordered keys only the first row of each of its keys may go;
/// the rows behind it are followers that become due when it is gone.
struct WaitingRows {
    struct Row: Equatable {
        var attempts: Int
        var due: Timestamp
        var firstFailed: Timestamp
        /// Offsets of a frozen batch; empty for an event alone.
        var members: [Int64] = []
        /// Empty where order does not matter.
        var keys: [String] = []

        var count: Int { max(1, members.count) }
    }

    private(set) var rows: [Int64: Row] = [:]
    /// How many events wait in all.
    private(set) var eventCount = 0
    private var busy: Set<Int64> = []
    private var heap = DueHeap()
    /// Row offsets of each key, ascending.
    private var byKey: [String: [Int64]] = [:]

    func has(key: String) -> Bool { byKey[key] != nil }
    func isBusy(_ offset: Int64) -> Bool { busy.contains(offset) }

    mutating func insert(_ offset: Int64, _ row: Row, isBusy: Bool = false) {
        if let old = rows[offset] { forget(offset, old) }
        rows[offset] = row
        eventCount += row.count
        for key in row.keys {
            var list = byKey[key] ?? []
            list.insert(offset, at: list.firstIndex { $0 > offset } ?? list.count)
            byKey[key] = list
        }
        if isBusy { busy.insert(offset) } else { heap.push(row.due, offset) }
    }

    /// The verdict has come: the row is gone, and the next of its keys may go.
    mutating func remove(_ offset: Int64) {
        guard let row = rows.removeValue(forKey: offset) else { return }
        forget(offset, row)
        for key in row.keys {
            if let next = byKey[key]?.first, let waiting = rows[next] { heap.push(waiting.due, next) }
        }
    }

    /// It was chosen and not tried: it waits as before.
    mutating func putBack(_ offset: Int64) {
        guard busy.remove(offset) != nil, let row = rows[offset] else { return }
        heap.push(row.due, offset)
    }

    mutating func makeAllDue(_ now: Timestamp) {
        heap = DueHeap()
        for (offset, row) in rows {
            rows[offset]?.due = min(row.due, now)
            if !busy.contains(offset) { heap.push(min(row.due, now), offset) }
        }
    }

    /// When the next row may go that is not under way; nil when none waits for its time.
    mutating func nextDue(_ isFree: (String) -> Bool) -> Timestamp? {
        prune(isFree)
        return heap.first?.due
    }

    /// Chooses the row that has been due the longest.
    mutating func takeDue(_ now: Timestamp, _ isFree: (String) -> Bool) -> Int64? {
        prune(isFree)
        guard let first = heap.first, first.due <= now else { return nil }
        heap.pop()
        busy.insert(first.offset)
        return first.offset
    }

    /// Chooses the due row of the oldest event: what a probe tries.
    mutating func takeOldestDue(_ now: Timestamp, _ isFree: (String) -> Bool) -> Int64? {
        let oldest = rows.filter { $0.value.due <= now && mayGo($0.key, $0.value, isFree) }.keys.min()
        if let oldest { busy.insert(oldest) }
        return oldest
    }

    /// The rows that follow `offset` under its one key and were never tried: they may join it in a batch. All get busy.
    mutating func takeFollowers(of offset: Int64, limit: Int) -> [Int64] {
        guard limit > 0, let key = rows[offset]?.keys.first, rows[offset]?.keys.count == 1 else { return [] }
        let followers = (byKey[key] ?? []).drop { $0 <= offset }.prefix { follower in
            rows[follower].map { $0.attempts == 0 && $0.members.isEmpty } ?? false
        }
        let taken = Array(followers.prefix(limit))
        busy.formUnion(taken)
        return taken
    }

    private func mayGo(_ offset: Int64, _ row: Row, _ isFree: (String) -> Bool) -> Bool {
        !busy.contains(offset) && row.keys.allSatisfy { byKey[$0]?.first == offset && isFree($0) }
    }

    /// Entries of the heap that no longer say anything go; those held back by their key come back with it.
    private mutating func prune(_ isFree: (String) -> Bool) {
        while let first = heap.first {
            if let row = rows[first.offset], row.due == first.due, mayGo(first.offset, row, isFree) { return }
            heap.pop()
        }
    }

    /// A key has become free: its first row may be due.
    mutating func freed(key: String) {
        if let first = byKey[key]?.first, let row = rows[first], !busy.contains(first) {
            heap.push(row.due, first)
        }
    }

    private mutating func forget(_ offset: Int64, _ row: Row) {
        busy.remove(offset)
        eventCount -= row.count
        for key in row.keys {
            byKey[key]?.removeAll { $0 == offset }
            if byKey[key]?.isEmpty ?? false { byKey[key] = nil }
        }
    }
}

/// A binary heap of offsets by the time they are due.
struct DueHeap {
    private var entries: [(due: Timestamp, offset: Int64)] = []

    var first: (due: Timestamp, offset: Int64)? { entries.first }

    mutating func push(_ due: Timestamp, _ offset: Int64) {
        entries.append((due, offset))
        var place = entries.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func pop() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count && isBefore(child, least)
            {
                least = child
            }
            if least == place { return }
            entries.swapAt(place, least)
            place = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (entries[left].due, entries[left].offset) < (entries[right].due, entries[right].offset)
    }
}
