import EventModel

extension Section {
    private static let exponentialKeys = ["initial", "factor", "max", "give_up_after"]

    /// Reads `retry` of a webhook: a schedule, or a growing wait; with neither, the default schedule.
    mutating func retry() -> Settings.Retry {
        var retry = Settings.Retry()
        take("jitter", .number(from: 0, upTo: 1), into: &retry.jitter)
        if isGiven("schedule") {
            var schedule: [Duration] = []
            takeList("schedule", of: .duration, into: &schedule)
            retry.plan = .schedule(schedule)
            forbid(
                Self.exponentialKeys, "stands beside schedule",
                "either schedule or \(Self.exponentialKeys.joined(separator: ", "))")
        } else if Self.exponentialKeys.contains(where: { isGiven($0) }) {
            retry.plan = exponential()
        } else {
            // Known, so that a misspelt one is named.
            for key in Self.exponentialKeys { _ = isGiven(key) }
        }
        return retry
    }

    /// Unless given: 5 s, doubled up to an hour, for three days; some eighty attempts.
    private mutating func exponential() -> Settings.Retry.Plan {
        var initial = Duration.seconds(5)
        var factor = 2.0
        var max = Duration.seconds(3600)
        var giveUpAfter = Duration.seconds(3 * 86_400)
        take("initial", .duration, into: &initial)
        take("factor", .number(from: 1, upTo: 100), into: &factor)
        take("max", .duration, into: &max)
        take("give_up_after", .duration, into: &giveUpAfter)
        if max < initial {
            refuse("max", "is shorter than initial", "allowed: at least \(initial.configured)")
        }
        if giveUpAfter < initial {
            refuse("give_up_after", "is shorter than initial", "allowed: at least \(initial.configured)")
        }
        return .exponential(initial: initial, factor: factor, max: max, giveUpAfter: giveUpAfter)
    }
}
