package import EventModel

/// A position that is kept at the other side, in the same transaction as the events it covers.
package struct RemotePosition: Sendable, Equatable {
    /// Offset of the newest event that was committed.
    package let offset: Int64
    /// Which log it counts in, and who committed it.
    package let logID: String?
    package let host: String?
    package let pid: Int?

    package init(offset: Int64, logID: String?, host: String?, pid: Int?) {
        (self.offset, self.logID, self.host, self.pid) = (offset, logID, host, pid)
    }
}

/// What became of one transaction.
package enum TransactionOutcome: Sendable, Equatable {
    /// The events and the position are there, for readers of what is committed.
    case committed
    /// Nothing of it is there. These events, by their place, were refused for what they are.
    case refused([Int: Outcome.Failure])
    /// Nothing of it is there: try again.
    case aborted(String)
    /// Whether it is there is not known, or the connection is spoilt: open again and ask for the position.
    case unknown(String)
    /// Another relay has taken over: this one must not go on.
    case fenced(String)
}

/// Publishes events and the log's position together: Kafka, exactly once.
package protocol TransactionalSink: Sendable {
    /// Takes over from older incarnations and reads the position that is there; waits until the other side answers at all.
    /// Called before the first transaction and after every `unknown`.
    /// - Returns: nil when the task was cancelled before the other side answered.
    func open() async -> SinkOpening?
    /// One transaction: the events in their order, and the position they bring.
    func commit(_ events: [StoredEvent], position: Int64) async -> TransactionOutcome
    /// Releases connections after the last `commit` returned.
    func close() async
}

/// How a transactional sink was opened.
package enum SinkOpening: Sendable, Equatable {
    /// With the position that is there, when there is one.
    case ready(RemotePosition?)
    /// Something is missing without which nothing can be published: to be tried again.
    case failed(String)
    case fenced(String)
}
