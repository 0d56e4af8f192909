import EventModel

/// Decides which customer is read next. Pure: the clock is a parameter.
///
///     something changed there, or has to be confirmed      first
///     never read, or nearly `maxAge` since its turn        then; every second place when both wait
///     anything else                                        not yet
struct CustomerPlan {
    enum Pick: Equatable {
        case wanted
        case oldest
        case nobody
    }

    /// The part of `maxAge` after which a customer is due: the rest is for those who wait with it.
    static let due = 0.8

    private let maxAge: Duration
    private var wantedInARow = 0

    init(maxAge: Duration) {
        self.maxAge = maxAge
    }

    /// - Parameters:
    ///   - wanted: whether somebody is wanted by now.
    ///   - oldest: the turn longest ago; `.some(nil)` for one that never had a turn, nil when there is nobody.
    mutating func next(wanted: Bool, oldest: Timestamp??, now: Timestamp) -> Pick {
        let isDue = oldest.map { turn in turn.map { now - $0 >= maxAge * Self.due } ?? true } ?? false
        guard wanted else {
            wantedInARow = 0
            return isDue ? .oldest : .nobody
        }
        if isDue, wantedInARow > 0 {
            wantedInARow = 0
            return .oldest
        }
        wantedInARow += 1
        return .wanted
    }

    /// Whether somebody has waited longer than was promised.
    func isLate(oldest turn: Timestamp?, now: Timestamp) -> Bool {
        turn.map { now - $0 > maxAge } ?? false
    }
}
