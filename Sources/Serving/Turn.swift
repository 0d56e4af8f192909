import Synchronization

/// Counts round and round.
final class Turn: Sendable {
    private let count = Mutex(0)

    func next(of limit: Int) -> Int {
        count.withLock { count in
            count = (count + 1) % limit
            return count
        }
    }
}
