import EventModel

/// What time it is at the vendor, from the latest reply's `Date`: the vendor's clock counts, not ours. Pure.
///
/// Only while it is fresh: a reply that told a wrong time must not keep the next one from ever being asked for.
struct VendorClock {
    private var seen: (time: Timestamp, elapsed: Duration)?

    /// A sighting older than this is no longer believed, and our own clock counts until the next reply.
    static let trust: Duration = .seconds(60)

    /// A `Date` has whole seconds, cut: an earlier sighting that runs ahead of this one by less than a second was the
    /// more exact one, and is kept.
    /// - Parameter elapsed: our monotonic clock when the reply came.
    mutating func saw(_ time: Timestamp, at elapsed: Duration) {
        if let seen {
            let running = seen.time + (elapsed - seen.elapsed)
            if running >= time, running - time < .seconds(1) {
                self.seen = (running, elapsed)
                return
            }
        }
        seen = (time, elapsed)
    }

    /// The earlier of both clocks; our own alone before the first reply and when the last one is long ago.
    func now(_ own: Timestamp, elapsed: Duration) -> Timestamp {
        guard let seen, elapsed - seen.elapsed < Self.trust else { return own }
        return min(own, seen.time + (elapsed - seen.elapsed))
    }
}
