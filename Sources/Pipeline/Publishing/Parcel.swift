import EventModel
import Ports
import Signing

/// What is sent in one request: one event, or a batch whose membership is frozen.
struct Parcel: Sendable {
    /// Ascending.
    let events: [StoredEvent]
    /// The number of the coming attempt, from 1.
    let attempt: Int
    /// Nil before the first failure.
    let firstFailed: Timestamp?
    /// Whether the store knows it as a row that waits.
    let hasRow: Bool
    let isBatch: Bool
    /// Whether it goes out to learn how an endpoint is whose circuit is open.
    let isProbe: Bool

    var lead: Int64 { events[0].offset }
    var offsets: [Int64] { events.map(\.offset) }
    var keys: Set<String> { Set(events.map(\.key)) }

    /// `webhook-id`: the event's, or a hash of the members', so that the same members always have the same.
    var id: String {
        guard isBatch else { return events[0].id.text }
        let content = events.map(\.id.text).joined(separator: "\n")
        return "batch_" + Digest.sha256(Array(content.utf8)).prefix(16).hexadecimal
    }

    var delivery: Delivery {
        Delivery(id: id, events: events, isBatch: isBatch, attempt: attempt)
    }
}

/// A parcel on its way.
struct Flight: Sendable {
    let parcel: Parcel
    let id: String
    let began: Moment
    /// The endpoint's round when it began; see `Throttle`.
    let round: Int
}

/// One instant on both clocks: the wall's, which is stored and may jump, and the one that only goes forward.
struct Moment: Sendable, Equatable {
    let now: Timestamp
    let elapsed: Duration
}
