/// An event before the log has given it a place: everything its one encoding needs except offset and recorded time.
package struct EventDraft: Sendable, Equatable {
    /// `/{relay}/{account}/{kind}`: CloudEvents `source`.
    package let source: String
    package let kind: SourceKind
    package let account: String
    /// The identity fields joined by newlines; with kind and account it names the row for ever.
    package let identity: String
    /// The row's own upstream time.
    package let time: Timestamp
    package let subject: String
    /// The normalized row in JSON.
    package let data: [UInt8]
    /// When the vendor says the row last changed; nil where it does not say.
    package let version: Timestamp?
    /// The customer the row is about, where the endpoints of single customers want to know.
    package let customer: CustomerReference?

    package init(
        relay: String, account: String, kind: SourceKind, identity: String, time: Timestamp, subject: String,
        data: [UInt8], version: Timestamp? = nil, customer: CustomerReference? = nil
    ) {
        self.init(
            source: Self.source(relay: relay, account: account, kind: kind), account: account, kind: kind,
            identity: identity, time: time, subject: subject, data: data, version: version, customer: customer
        )
    }

    /// - Parameter source: as `source(relay:account:kind:)` writes it, which is the same for all rows of a list.
    package init(
        source: String, account: String, kind: SourceKind, identity: String, time: Timestamp, subject: String,
        data: [UInt8], version: Timestamp?, customer: CustomerReference?
    ) {
        self.source = source
        (self.account, self.kind, self.identity) = (account, kind, identity)
        (self.time, self.subject, self.data, self.version) = (time, subject, data, version)
        self.customer = customer
    }

    package static func source(relay: String, account: String, kind: SourceKind) -> String {
        "/\(relay)/\(account)/\(kind.rawValue)"
    }

    /// What an id's hash is taken over (contract, section 3: kind, account, identity, revision).
    package func idContent(revision: Int64) -> [UInt8] {
        Array("\(kind.rawValue)\n\(account)\n\(identity)\n\(revision)".utf8)
    }

    /// - Parameter isDeletion: the row is gone; only for kinds that tell of deletions.
    package func type(revision: Int64, isDeletion: Bool = false) -> String {
        if isDeletion, let deleted = kind.deletedType { return deleted }
        return revision == 1 ? kind.createdType : kind.updatedType
    }

    /// The one encoding, with the slots of `EventSlots` first and still empty.
    package func encoded(id: EventID, revision: Int64, isDeletion: Bool = false) -> [UInt8] {
        let type = type(revision: revision, isDeletion: isDeletion)
        var writer = JSONWriter(reserving: data.count + 640)
        writer.object { event in
            event.member("id", id.text)
            event.member("sequence", EventSlots.emptySequence)
            event.member("recordedtime", EventSlots.emptyRecordedTime)
            event.member("specversion", "1.0")
            event.member("source", source)
            event.member("type", type)
            event.member("subject", subject)
            event.member("time", time.rfc3339)
            event.member("datacontenttype", "application/json")
            event.member("dataschema", "urn:millrace:\(type):1")
            event.member("partitionkey", subject)
            event.member("revision", revision)
            event.key("data")
            event.raw(data)
        }
        return writer.bytes
    }
}

/// The fixed-width places at the front of every encoded event that only the log can fill.
///
///     {"id":"evt_…26…","sequence":"…20…","recordedtime":"…24…", …
///            7                  51                    89
package enum EventSlots {
    package static let emptySequence = String(repeating: "0", count: 20)
    package static let emptyRecordedTime = "0000-00-00T00:00:00.000Z"
    private static let sequence = 51..<71
    private static let recordedTime = 89..<113

    /// Writes offset and recorded time into an encoded event.
    package static func fill(_ event: inout [UInt8], offset: Int64, recordedTime time: [UInt8]) {
        precondition(
            time.count == recordedTime.count && offset >= 0, "a slot is filled with exactly its width")
        var rest = offset
        for place in sequence.reversed() {
            event[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        event.replaceSubrange(recordedTime, with: time)
    }

    /// How an event of the log begins: what its bytes say of its place, for whoever compares them with the store.
    package static func front(id: EventID, offset: Int64, recorded: Timestamp) -> [UInt8] {
        let digits = String(offset)
        let sequence = String(repeating: "0", count: max(0, 20 - digits.count)) + digits
        return Array(
            #"{"id":"\#(id.text)","sequence":"\#(sequence)","recordedtime":"\#(recorded.rfc3339Milliseconds)""#
                .utf8)
    }

    /// The same event with `sequence` and `recordedtime` as null: what a dry run prints.
    package static func emptied(_ event: [UInt8]) -> [UInt8] {
        let null = Array("null".utf8)
        return event[..<(sequence.lowerBound - 1)] + null
            + event[(sequence.upperBound + 1)..<(recordedTime.lowerBound - 1)] + null
            + event[(recordedTime.upperBound + 1)...]
    }
}
