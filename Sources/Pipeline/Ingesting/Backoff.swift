/// Waits between tries of something that fails for a while: doubling, bounded, with jitter. Pure.
///
///     failure   1     2     3     4     5      6      7      then
///     up to     1 s   2 s   4 s   8 s   16 s   32 s   60 s   60 s      (of a window, by default)
///
/// Each wait is drawn between half of that and all of it, so that sources that failed together do not return together.
struct Backoff: Equatable {
    private(set) var failures = 0
    private let first: Duration
    private let longest: Duration

    init(first: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        (self.first, self.longest) = (first, longest)
    }

    /// - Parameter draw: between 0 and 1.
    mutating func failed(draw: Double) -> Duration {
        failures += 1
        let full = min(first * (1 << min(failures - 1, 16)), longest)
        return full * (0.5 + draw / 2)
    }

    /// True when there was a failure to get over.
    mutating func succeeded() -> Bool {
        defer { failures = 0 }
        return failures > 0
    }
}
