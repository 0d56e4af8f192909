import EventModel

/// What time it is at the vendor, from the latest reply's `Date`: the vendor's clock counts, not ours. Pure.
struct VendorClock: Equatable {
    private var seen: (time: Timestamp, elapsed: Duration)?

    /// - Parameter elapsed: our monotonic clock when the reply came.
    mutating func saw(_ time: Timestamp, at elapsed: Duration) {
        seen = (time, elapsed)
    }

    /// The earlier of both clocks; our own alone before the first reply.
    func now(_ own: Timestamp, elapsed: Duration) -> Timestamp {
        guard let seen else { return own }
        return min(own, seen.time + (elapsed - seen.elapsed))
    }

    static func == (left: VendorClock, right: VendorClock) -> Bool {
        left.seen?.time == right.seen?.time && left.seen?.elapsed == right.seen?.elapsed
    }
}
