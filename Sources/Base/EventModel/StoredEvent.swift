/// One event of the log as every reader gets it: where it stands, what a sink chooses by, and its bytes.
package struct StoredEvent: Sendable, Equatable {
    /// Position in the log: dense, from 1.
    package let offset: Int64
    package let id: EventID
    package let type: String
    /// Nil for the relay's own operational events.
    package let account: String?
    /// Nil for the relay's own operational events.
    package let kind: SourceKind?
    /// The event's subject; Kafka's key and the unit of ordering.
    package let key: String
    package let recorded: Timestamp
    /// The CloudEvent in JSON: the one encoding that is stored, sent and replayed.
    package let body: [UInt8]

    package init(
        offset: Int64, id: EventID, type: String, account: String?, kind: SourceKind?, key: String,
        recorded: Timestamp, body: [UInt8]
    ) {
        (self.offset, self.id, self.type, self.account) = (offset, id, type, account)
        (self.kind, self.key, self.recorded, self.body) = (kind, key, recorded, body)
    }
}
