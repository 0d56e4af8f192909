package import EventModel

/// Where a replay sends a range of the log again, beside the live flow.
///
/// One call at a time; nothing it does touches the position or the account of the live flow.
package protocol ReplayTarget: Sendable {
    /// Events that are handed over at once, at most: what is sent again when the process dies meanwhile.
    var batchLimit: Int { get }
    /// Waits for the other side and prepares what delivery needs. False when the task was cancelled before it answered.
    func open() async -> Bool
    /// Sends events and waits until each is settled or has failed.
    func deliver(_ events: [StoredEvent]) async -> ReplayAnswer
    /// Releases connections after the last `deliver` returned.
    func close() async
}

/// What came of one `deliver` of a replay.
package enum ReplayAnswer: Sendable {
    /// One outcome per event, in the same order.
    case settled([Outcome])
    /// The other side wants no event ever again, or is gone: the replay ends with this reason.
    case ended(String)
}
