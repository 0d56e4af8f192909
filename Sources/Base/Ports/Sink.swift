package import EventModel

/// What became of one delivery.
package enum Outcome: Sendable, Equatable {
    /// The other side has taken responsibility.
    case accepted
    /// Not now: try again by the schedule, not before `notBefore` from now when the other side named a time.
    case retry(Failure, notBefore: Duration? = nil)
    /// Never: goes to the dead letters with the reason.
    case refused(Failure)

    /// What the other side answered, for the attempt's record; never a payload or a secret.
    package struct Failure: Sendable, Equatable {
        /// HTTP status, when there was an answer.
        package let status: Int?
        package let reason: String

        package init(status: Int? = nil, reason: String) {
            (self.status, self.reason) = (status, reason)
        }
    }
}

/// Delivers batches in order: Kafka.
package protocol BatchSink: Sendable {
    /// Waits for the other side and prepares what delivery needs (topics); called once before the first batch. False when
    /// the task was cancelled before the other side answered.
    func open() async -> Bool
    /// Hands over events in log order and waits until each is settled: one outcome per event, in the same order.
    func deliver(_ events: [StoredEvent]) async -> [Outcome]
    /// Releases connections after the last `deliver` returned.
    func close() async
}
