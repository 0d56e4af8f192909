/// How many deliveries an endpoint gets at once: halved when it says it is overloaded, one more for each full round of
/// successes. Pure.
///
///     16 ──503──▶ 8 ──503──▶ 4 ──4 successes──▶ 5 ──5 successes──▶ 6 …
///
/// What was under way when it was halved belongs to an earlier round and does not halve again.
struct Throttle: Equatable {
    private let limit: Int
    private(set) var budget: Int
    /// Changes with every halving; an attempt remembers the round it began in.
    private(set) var round = 0
    private var successes = 0

    init(limit: Int) {
        (self.limit, budget) = (limit, limit)
    }

    mutating func overloaded(inRound began: Int) {
        guard began == round else { return }
        budget = max(1, budget / 2)
        round += 1
        successes = 0
    }

    mutating func succeeded() {
        guard budget < limit else { return }
        successes += 1
        guard successes >= budget else { return }
        budget += 1
        successes = 0
    }
}

/// When the next delivery may begin under a rate. Pure.
///
/// A bucket of tokens that holds a tenth of a second's worth, at least one: after a pause there is a small burst, and over
/// any second no more than the rate and that burst.
struct Pace: Equatable {
    /// One a day: below it waits overflow, and an endpoint allows what it likes.
    private static let least = 1.0 / 86_400

    private let perSecond: Double
    private var tokens: Double
    private var seen: Duration = .zero

    init(perSecond: Double) {
        self.perSecond = max(perSecond, Self.least)
        tokens = max(1, perSecond / 10)
    }

    mutating func wait(at elapsed: Duration) -> Duration {
        refill(elapsed)
        if tokens >= 1 { return .zero }
        return .seconds((1 - tokens) / perSecond)
    }

    mutating func took(at elapsed: Duration) {
        refill(elapsed)
        tokens -= 1
    }

    private mutating func refill(_ elapsed: Duration) {
        guard elapsed > seen else { return }
        tokens = min(max(1, perSecond / 10), tokens + (elapsed - seen).seconds * perSecond)
        seen = elapsed
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
