/// How fast a replay may go, and how long it waits after failures. Pure.
struct ReplayPace: Sendable, Equatable {
    /// Events a second; nil is as fast as it goes.
    let rate: Double?

    /// Beyond it durations overflow; a year of patience is without end for a replay.
    private static let longestSeconds: Double = 365 * 86_400

    static let firstPause: Duration = .seconds(1)
    static let longestPause: Duration = .seconds(60)

    /// A tenth of a second's worth, so that the pace is even.
    func batch(atMost most: Int) -> Int {
        guard let rate else { return most }
        return min(most, max(1, Int(rate / 10)))
    }

    /// How long to wait once so many events were sent in so long a time.
    func wait(afterSending sent: Int64, in time: Duration) -> Duration {
        guard let rate else { return .zero }
        return max(.zero, due(sent, rate) - time)
    }

    /// When it would have begun, had it never stood still: what was not sent while the other side or the store was away is not
    /// made up for at once.
    func begun(_ begun: Duration, afterSending sent: Int64, at now: Duration) -> Duration {
        guard let rate else { return begun }
        let behind = now - begun - due(sent, rate)
        return behind > .seconds(1) ? begun + behind : begun
    }

    private func due(_ sent: Int64, _ rate: Double) -> Duration {
        .seconds(min(Double(sent) / rate, Self.longestSeconds))
    }

    /// 1 s, doubled up to a minute, ± 20 %.
    /// - Parameter draw: between 0 and 1.
    static func pause(afterFailures failures: Int, draw: Double) -> Duration {
        let doubled = firstPause * (1 << min(max(0, failures - 1), 6))
        return min(doubled, longestPause) * (0.8 + draw * 0.4)
    }
}
