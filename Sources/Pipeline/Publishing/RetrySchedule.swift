/// When a failed delivery is tried again, and when it is given up. Pure: the draw for the jitter is a parameter.
package struct RetrySchedule: Sendable, Equatable, Codable {
    package enum Plan: Sendable, Equatable, Codable {
        /// The wait before attempt 2, 3, …; after the last the event is a dead letter.
        case fixed([Duration])
        /// `initial · factorⁿ`, at most `max`; given up once this long after the first failure.
        case exponential(initial: Duration, factor: Double, max: Duration, giveUpAfter: Duration)
    }

    package let plan: Plan
    /// A share of each wait: 0.2 is ± 20 %.
    package let jitter: Double

    /// The contract's: ten attempts in three days.
    package static let standard = RetrySchedule(
        .fixed(
            [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map { .seconds($0) }), jitter: 0.2)

    package init(_ plan: Plan, jitter: Double) {
        (self.plan, self.jitter) = (plan, jitter)
    }

    /// The wait before the next attempt, or nil when the schedule is spent.
    /// - Parameters:
    ///   - attempts: made so far, the failed one included.
    ///   - since: time since the first failure.
    ///   - draw: between 0 and 1.
    func wait(afterAttempts attempts: Int, since: Duration, draw: Double) -> Duration? {
        switch plan {
        case .fixed(let waits):
            guard attempts <= waits.count else { return nil }
            return jittered(waits[attempts - 1], draw)
        case .exponential(let initial, let factor, let longest, let giveUpAfter):
            var wait = initial
            for _ in 1..<max(1, attempts) where wait < longest { wait = wait * factor }
            let next = jittered(min(wait, longest), draw)
            return since + next > giveUpAfter ? nil : next
        }
    }

    private func jittered(_ wait: Duration, _ draw: Double) -> Duration {
        wait * (1 + jitter * (draw * 2 - 1))
    }
}
