/// Decides whose request of an account goes next. Pure; times are durations of a monotonic clock.
///
/// Those who wait go in the order of their coming: a source has one request at a time, so its sources take turns. Lists of
/// periods go before single customers, whose tens of thousands of calls can wait; but every fourth place is the others', so that a
/// long backfill does not stop them.
struct Turnstile {
    enum Importance: Sendable {
        case period
        case customer
    }

    enum Answer: Equatable {
        case enter
        /// It is this one's turn, at that time.
        case wait(Duration)
        /// Others go first; ask again when something has changed.
        case later
    }

    /// So many places in a row go to periods while customers wait.
    static let inARow = 3

    private let atOnce: Int
    private var limiter: RateLimiter
    private var inProcess = 0
    private var periods: [Int] = []
    private var customers: [Int] = []
    private var row = 0
    private var nextTicket = 0

    /// - Parameter atOnce: how many requests may be in process.
    init(perSecond: Double, atOnce: Int) {
        limiter = RateLimiter(perSecond: perSecond)
        self.atOnce = atOnce
    }

    mutating func join(_ importance: Importance) -> Int {
        nextTicket += 1
        switch importance {
        case .period: periods.append(nextTicket)
        case .customer: customers.append(nextTicket)
        }
        return nextTicket
    }

    mutating func ask(_ ticket: Int, at now: Duration) -> Answer {
        guard ticket == next, inProcess < atOnce else { return .later }
        let wait = limiter.wait(at: now)
        guard wait <= .zero else { return .wait(wait) }
        limiter.take(at: now)
        inProcess += 1
        row = periods.first == ticket && !customers.isEmpty ? row + 1 : 0
        giveUp(ticket)
        return .enter
    }

    /// Whoever waited does not want a place any more.
    mutating func giveUp(_ ticket: Int) {
        periods.removeAll { $0 == ticket }
        customers.removeAll { $0 == ticket }
    }

    /// A request that had entered is over.
    mutating func leave() {
        inProcess -= 1
    }

    /// Nobody enters before this instant.
    mutating func close(until instant: Duration) {
        limiter.close(until: instant)
    }

    private var next: Int? {
        guard let period = periods.first else { return customers.first }
        return row >= Self.inARow ? customers.first ?? period : period
    }
}
