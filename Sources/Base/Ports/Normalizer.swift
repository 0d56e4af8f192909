package import EventModel

/// One row in the relay's own words, before the log has given it a place.
package struct NormalizedRow: Sendable, Equatable {
    /// The vendor page's identity fields in its order, raw vendor text, null as nothing, joined by newlines.
    package let identity: String
    /// The row's own upstream time: visit, creation or outflow; the same for all its revisions.
    package let time: Timestamp
    /// The customer as the source knows it; never empty.
    package let subject: String
    /// The event's `data`: one JSON object, encoded once.
    package let data: [UInt8]
    /// When the vendor says the row last changed; nil where it does not say. An older version than the stored one is
    /// no news.
    package let version: Timestamp?
    /// The customer a relation introduces or a visit belongs to; nil where none is known.
    package let customer: CustomerReference?

    package init(
        identity: String, time: Timestamp, subject: String, data: [UInt8], version: Timestamp? = nil,
        customer: CustomerReference? = nil
    ) {
        (self.identity, self.time, self.subject, self.data) = (identity, time, subject, data)
        (self.version, self.customer) = (version, customer)
    }
}

/// Turns one vendor's row into the relay's words. Pure: the same bytes give the same row, on every machine.
///
/// Tolerant where vendors are loose (null, `""`, a missing key and unknown keys are all "nothing"), strict where a wrong
/// guess would be published: a row that cannot be read is refused and ends in quarantine.
package protocol Normalizer: Sendable {
    var kind: SourceKind { get }
    /// The fields of a row that the vendor documents; any other is told of as drift.
    var documentedFields: Set<String> { get }
    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow
}

/// One row of a page on its way into the log.
package enum LogRow: Sendable {
    /// A readable row, with the bytes it was read from.
    case event(EventDraft, raw: [UInt8])
    /// A row that could not be read: goes to quarantine.
    case rejected(raw: [UInt8], reason: String)
}

/// Why a row was refused. Names fields, never their values.
package struct RowError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
