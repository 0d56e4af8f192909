import Persisting

/// Which offsets a sink has taken, which of them are settled, and so how far its position may move (promise L4). Pure.
///
///     position ──▶ │ taken, open │ settled │ taken, open │ settled │ ◀── taken up to here
///
/// The position is the highest offset below which everything is settled; what is settled above it is kept as ranges, so
/// that a crash repeats only what was open.
struct DeliveryWindow: Equatable {
    private(set) var progress: SinkProgress
    /// The highest offset handed out.
    private(set) var taken: Int64

    init(_ progress: SinkProgress) {
        self.progress = progress
        taken = progress.position
    }

    /// Whether an offset that is read after a restart was settled before it.
    func isSettled(_ offset: Int64) -> Bool {
        if offset <= progress.position { return true }
        let place = place(of: offset)
        return place > 0 && progress.settled[place - 1].contains(offset)
    }

    /// The first range that begins behind an offset. A key in trouble leaves thousands of them, so they are not walked over.
    private func place(of offset: Int64) -> Int {
        var (low, high) = (0, progress.settled.count)
        while low < high {
            let middle = (low + high) / 2
            if progress.settled[middle].lowerBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }

    mutating func took(_ offset: Int64) {
        taken = max(taken, offset)
    }

    /// Delivered, filtered, dead or kept as a retry row: the position may pass it.
    mutating func settled(_ offset: Int64) {
        if offset == progress.position + 1, progress.settled.isEmpty {
            progress.position = offset
            return
        }
        guard !isSettled(offset) else { return }
        insert(offset)
        absorb()
    }

    /// A run that begins right above everything taken.
    mutating func settled(_ offsets: ClosedRange<Int64>) {
        precondition(offsets.lowerBound == taken + 1, "a run of settled offsets follows what was taken")
        taken = offsets.upperBound
        if progress.position == offsets.lowerBound - 1 {
            progress.position = offsets.upperBound
        } else if let last = progress.settled.last, last.upperBound + 1 == offsets.lowerBound {
            progress.settled[progress.settled.count - 1] = last.lowerBound...offsets.upperBound
        } else {
            progress.settled.append(offsets)
        }
    }

    private mutating func insert(_ offset: Int64) {
        let place = place(of: offset)
        var merged = offset...offset
        var replaced = place..<place
        if place > 0, progress.settled[place - 1].upperBound + 1 == offset {
            merged = progress.settled[place - 1].lowerBound...merged.upperBound
            replaced = (place - 1)..<replaced.upperBound
        }
        if place < progress.settled.count, progress.settled[place].lowerBound == offset + 1 {
            merged = merged.lowerBound...progress.settled[place].upperBound
            replaced = replaced.lowerBound..<(place + 1)
        }
        progress.settled.replaceSubrange(replaced, with: CollectionOfOne(merged))
    }

    private mutating func absorb() {
        while let first = progress.settled.first, first.lowerBound <= progress.position + 1 {
            progress.position = max(progress.position, first.upperBound)
            progress.settled.removeFirst()
        }
    }
}
