/// What can go wrong with one request.
package enum Fault: String, Sendable, CaseIterable {
    case none
    /// HTTP 500 with a page for people.
    case status500
    /// HTTP 200 with code 1000, as the vendor's page documents its errors.
    case code
    /// The right answer after a delay.
    case slow
    /// The connection is closed without an answer.
    case drop
    /// One row more that no strict JSON parser reads; the kinds take turns (see `BrokenRow`).
    case malformedRow
    /// The right answer, cut off in the middle.
    case malformedPage
    /// HTTP 429 with `Retry-After: 1`.
    case throttle
}

/// Which requests go wrong: a list for the first ones, then shares, decided by the seeded generator.
package struct FaultPlan: Sendable {
    /// Faults of the first requests, one each, before any share counts.
    package var script: [Fault]
    /// Share of requests, 0 to 1, for each kind; where they add up to more than 1 the kinds first in `Fault`
    /// win.
    package var shares: [Fault: Double]
    /// How long a `slow` answer takes.
    package var slowDelay: Duration

    package init(script: [Fault] = [], shares: [Fault: Double] = [:], slowDelay: Duration = .seconds(3)) {
        (self.script, self.shares, self.slowDelay) = (script, shares, slowDelay)
    }

    var namedShares: [(String, Double)] {
        shares.map { ("the share of \($0.key.rawValue)", $0.value) }
    }
}

/// Hands out one fault a request. Pure: the same plan and seed give the same faults in the same order.
struct FaultDice {
    private let plan: FaultPlan
    private var random: SplitMix64
    private var served = 0

    init(_ plan: FaultPlan, seed: UInt64) {
        self.plan = plan
        // Another sequence than the world's, so that faults do not follow its rows.
        random = SplitMix64(seed: ~seed)
    }

    mutating func next() -> Fault {
        defer { served += 1 }
        guard served >= plan.script.count else { return plan.script[served] }
        var rest = random.unit()
        for fault in Fault.allCases where fault != .none {
            rest -= plan.shares[fault] ?? 0
            if rest < 0 { return fault }
        }
        return .none
    }
}
