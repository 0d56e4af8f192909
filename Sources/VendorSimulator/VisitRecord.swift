import EventModel

/// One visit of the world, by numbers into its cast; 72 bytes, so that a million of them is no matter.
struct VisitRecord: Sendable {
    let second: Int64
    /// The vendor's tie-breaker within a second: the customer id, or 0.
    let tieBreaker: Int64
    let visitor: Int32
    let content: Int32
    let viewTimes: Int32
    /// `shareChainSteps`; nil when staff shared the content.
    let steps: Int32?
    let sharer: Int32?
    /// Null for ever when nil.
    let duration: Int32?
    /// Milliseconds from which on the row is in the list.
    let visibleFrom: Int64
    /// Milliseconds from which on `viewDuration` is filled in.
    let filledFrom: Int64

    func isVisible(at instant: Timestamp) -> Bool {
        visibleFrom <= instant.milliseconds
    }

    func duration(at instant: Timestamp) -> Int32? {
        filledFrom <= instant.milliseconds ? duration : nil
    }

    func isRevised(at instant: Timestamp) -> Bool {
        filledFrom > visibleFrom && duration(at: instant) != nil
    }

    static func precedes(_ left: VisitRecord, _ right: VisitRecord) -> Bool {
        (left.second, left.tieBreaker) < (right.second, right.tieBreaker)
    }
}
