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

/// Delivers batches in order, several of them at a time: Kafka, at least once.
package protocol BatchSink: Sendable {
    /// Waits for the other side and prepares what delivery needs (topics); called once before the first batch. False when
    /// the task was cancelled before the other side answered.
    func open() async -> Bool
    /// Hands over events in log order and returns at once. Batches begun one after the other are delivered in that order;
    /// the caller bounds how much is under way.
    func begin(_ events: [StoredEvent]) -> any BatchDelivery
    /// Releases connections after the last delivery was settled.
    func close() async
}

/// A batch on its way.
package protocol BatchDelivery: Sendable {
    /// Waits until every event is settled; what was not accepted, by its place in the batch. Called once. When the task is
    /// cancelled, what is not settled comes back as `.retry`. What is refused may be so for a neighbour's sake: an event
    /// is given up only when it was refused alone.
    func failures() async -> [Int: Outcome]
}
