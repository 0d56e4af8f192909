import EventModel

/// Watches how hard a vendor is asked, and says when a limit of its own is passed. Pure; times are milliseconds.
struct LimitWatch {
    private var recent: [Int64] = []
    private var inProcess = 0
    /// The most requests within any second, and at once.
    private(set) var busiestSecond = 0
    private(set) var mostAtOnce = 0

    /// A request came.
    /// - Returns: how many came within the second and the minute that end now, this one included.
    mutating func began(at now: Int64) -> (second: Int, minute: Int) {
        recent.append(now)
        recent.removeAll { $0 <= now - 60_000 }
        inProcess += 1
        mostAtOnce = max(mostAtOnce, inProcess)
        let second = recent.reversed().prefix { $0 > now - 1000 }.count
        busiestSecond = max(busiestSecond, second)
        return (second, recent.count)
    }

    /// The request's answer was sent.
    mutating func ended() {
        inProcess -= 1
    }

    var atOnce: Int { inProcess }
}
