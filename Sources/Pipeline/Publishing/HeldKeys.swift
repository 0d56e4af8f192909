import EventModel
import Ports

/// Keys of which an event failed: what follows it under its key is not sent until it is settled, so that a broker in trouble
/// gets no copies of it on every attempt. Pure.
///
///     sent          3 ✗   6 ✓   9 ✓       6 and 9 are of the key of 3: open, because they have to come behind it
///     sent again    3 ✗                   6 and 9 are held back
///     sent again    3 ✓
///     sent again    6 ✓   9 ✓
struct HeldKeys {
    /// The first event of each key that failed and is not settled yet.
    private var firstFailed: [String: Int64] = [:]

    func holds(_ event: StoredEvent) -> Bool {
        guard !firstFailed.isEmpty, let failed = firstFailed[event.key] else { return false }
        return event.offset > failed
    }

    mutating func hold(_ failed: [String: Int64]) {
        firstFailed.merge(failed) { min($0, $1) }
    }

    /// An event is settled in more ways than by its delivery: given up, or cut by retention.
    mutating func release(_ isSettled: (Int64) -> Bool) {
        if !firstFailed.isEmpty { firstFailed = firstFailed.filter { !isSettled($0.value) } }
    }
}
