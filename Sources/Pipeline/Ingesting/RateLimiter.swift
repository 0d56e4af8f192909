/// Spaces requests evenly: never more than one each interval, no bursts. Pure; times are durations of a monotonic clock.
struct RateLimiter: Equatable {
    private let interval: Duration
    private var nextFree: Duration = .zero

    /// - Parameter perSecond: requests a second, also fractions of one.
    init(perSecond: Double) {
        interval = .seconds(1 / perSecond)
    }

    /// How long until the next place; zero when it is there.
    func wait(at now: Duration) -> Duration {
        max(.zero, nextFree - now)
    }

    /// Takes the place of now; the next one is an interval later.
    mutating func take(at now: Duration) {
        nextFree = max(now, nextFree) + interval
    }

    /// There is no place before this instant.
    mutating func close(until instant: Duration) {
        nextFree = max(nextFree, instant)
    }
}
