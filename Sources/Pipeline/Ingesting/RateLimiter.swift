/// Spaces requests evenly: never more than one each interval, no bursts. Pure; times are durations of a monotonic clock.
struct RateLimiter: Equatable {
    private let interval: Duration
    private var nextFree: Duration = .zero
    private var closedUntil: Duration = .zero

    /// - Parameter perSecond: requests a second, also fractions of one.
    init(perSecond: Double) {
        interval = .seconds(1 / perSecond)
    }

    /// Takes the next place and says how long to wait for it. Places are given in the order of the calls.
    mutating func reserve(at now: Duration) -> Duration {
        let place = max(now, nextFree)
        nextFree = place + interval
        return place - now
    }

    /// Nobody gets a place before this instant, and places given for an earlier one no longer count.
    mutating func close(until instant: Duration) {
        closedUntil = max(closedUntil, instant)
        nextFree = max(nextFree, instant)
    }

    func isClosed(at now: Duration) -> Bool {
        now < closedUntil
    }
}
