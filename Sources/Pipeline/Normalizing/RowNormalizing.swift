import EventModel
package import Ports

/// From a page's raw rows to what the log takes: drafts of events, and rejected rows with their reason.
///
/// Pure and without state: the same page gives the same drafts. Nothing of a row reaches a log line from here.
package struct RowNormalizing: Sendable {
    /// CloudEvents `source` of every event of the list.
    package let source: String
    private let account: String
    private let normalizer: any Normalizer
    private let hidesRejected: Bool

    /// - Parameters:
    ///   - relay: the relay's name, the first part of every event's `source`.
    ///   - account: the account's name, the second part.
    ///   - hidesRejected: quarantine gets a row's shape, length and hash instead of its text.
    package init(relay: String, account: String, normalizer: any Normalizer, hidesRejected: Bool = false) {
        source = EventDraft.source(relay: relay, account: account, kind: normalizer.kind)
        (self.account, self.normalizer) = (account, normalizer)
        self.hidesRejected = hidesRejected
    }

    /// The fields of a row that the vendor documents.
    package var documentedFields: Set<String> { normalizer.documentedFields }

    /// One result per row, in the page's order.
    package func normalize(_ rows: [[UInt8]]) -> [LogRow] {
        rows.map { raw in
            do throws(RowError) {
                let row = try normalizer.normalize(raw)
                let draft = EventDraft(
                    source: source, account: account, kind: normalizer.kind, identity: row.identity,
                    time: row.time, subject: row.subject, data: row.data, version: row.version,
                    customer: row.customer)
                return .event(draft, raw: raw)
            } catch {
                return .rejected(raw: hidesRejected ? RowShape.of(raw) : raw, reason: error.reason)
            }
        }
    }
}
