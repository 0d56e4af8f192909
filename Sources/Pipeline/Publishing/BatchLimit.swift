/// How many events the next batch may hold, so that one that is refused for good is found without giving up its
/// neighbours. Pure.
///
/// The other side refuses a whole request for one record in it. Each refusal halves the next batch, down to one event
/// alone; what is refused alone is refused. Each success doubles it again.
///
///     batch      1000 ✗   500 ✓   1000 ✗ …  2 ✗   1 ✓   1 ✗   1 ✗ given up   2 ✓   4 ✓ …
///
/// The first refusal of an event alone may be that of a neighbour in another batch, so it is given up only when it is refused
/// twice in a row.
struct BatchLimit: Equatable {
    enum Verdict: Equatable {
        /// Send again, in batches that are small enough now.
        case again
        /// The one event of the batch is refused for good.
        case giveUp
    }

    private let most: Int
    private(set) var current: Int
    private var refusedAlone = 0

    static let refusalsAlone = 2

    init(most: Int) {
        (self.most, current) = (most, most)
    }

    /// Whether batches are as large as they may be: nothing is being looked for.
    var isOpen: Bool { current == most }

    mutating func accepted() {
        refusedAlone = 0
        current = min(most, current * 2)
    }

    mutating func refused(batchOf count: Int) -> Verdict {
        if count > 1 {
            refusedAlone = 0
            current = max(1, count / 2)
            return .again
        }
        refusedAlone += 1
        current = 1
        guard refusedAlone < Self.refusalsAlone else {
            refusedAlone = 0
            return .giveUp
        }
        return .again
    }
}
