package import EventModel

/// A range of the log that is sent again, beside the live flow: what was asked for, how far it is, and its account.
package struct ReplayRecord: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case running, done
        /// It cannot go on: the subscription is gone, or wants nothing more.
        case failed
    }

    /// `rpl_…`; what the header `millrace-replay` carries.
    package let id: String
    /// A subscription's id, or `kafka`.
    package let target: String
    /// The first offset, inclusive.
    package let first: Int64
    /// The end, exclusive.
    package let until: Int64
    /// Patterns over event types; everything else is filtered.
    package let types: [NamePattern]
    /// Events a second; nil is as fast as it goes.
    package let rate: Double?
    /// Kafka only: another topic, or template, than the configured one.
    package let topic: String?
    /// The token's name.
    package let who: String
    package let created: Timestamp

    package var state = State.running
    /// The last offset that is settled.
    package var position: Int64
    package var delivered: Int64 = 0
    package var filtered: Int64 = 0
    /// Refused for good, or given up.
    package var dead: Int64 = 0
    /// Removed by retention before they were sent.
    package var expired: Int64 = 0
    package var finished: Timestamp?
    /// Why it waits, or why it failed; never a payload or a secret.
    package var failure: String?

    package init(
        id: String, target: String, first: Int64, until: Int64, types: [NamePattern], rate: Double?,
        topic: String?, who: String, created: Timestamp
    ) {
        (self.id, self.target, self.first, self.until) = (id, target, first, until)
        (self.types, self.rate, self.topic) = (types, rate, topic)
        (self.who, self.created, position) = (who, created, first - 1)
    }

    /// Its account: the sum of delivered, filtered, dead, expired and pending.
    package var events: Int64 { max(0, until - first) }
    package var pending: Int64 { max(0, until - 1 - position) }
}
