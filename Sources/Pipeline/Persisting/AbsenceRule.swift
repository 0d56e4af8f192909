import EventModel

/// When a record that whole readings lack counts as deleted. Pure (vendor page on follow records).
///
///     the reply           absent in so many readings, each at least `patience` after the one counted before
///     has other records   2
///     is empty or null    3
struct AbsenceRule {
    struct Absence: Equatable {
        /// The latest reading that counted.
        var counted: Timestamp
        var misses: Int
    }

    enum Verdict: Equatable {
        case waiting(Absence)
        case deleted
    }

    let patience: Duration
    let replyIsEmpty: Bool

    /// - Parameter before: nil when the record was in the reading before this one.
    func judge(_ before: Absence?, now: Timestamp) -> Verdict {
        guard let before else { return .waiting(Absence(counted: now, misses: 1)) }
        guard now - before.counted >= patience else { return .waiting(before) }
        let absence = Absence(counted: now, misses: before.misses + 1)
        return absence.misses >= (replyIsEmpty ? 3 : 2) ? .deleted : .waiting(absence)
    }
}
