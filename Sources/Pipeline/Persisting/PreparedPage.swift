package import EventModel
import Ports
import Signing

/// A page with everything computed that needs no database: ids, fingerprints, the encoding of first revisions.
///
/// Made by `EventLog.prepared` on the caller's side, so that the one writer only looks up, fills slots and inserts. Who stores
/// one page after the other prepares the next while one is stored.
package struct PreparedPage: Sendable {
    enum Row: Sendable {
        case event(PreparedEvent)
        case rejected(raw: [UInt8], reason: String, fingerprint: [UInt8])
    }

    let rows: [Row]

    /// - Parameter key: the store's, for fingerprints.
    init(_ rows: [LogRow], key: [UInt8]) {
        let hasher = MessageHasher(key: key)
        var prepared: [Row] = []
        prepared.reserveCapacity(rows.count)
        for row in rows { prepared.append(Self.prepared(row, hasher)) }
        self.rows = prepared
    }

    private static func prepared(_ row: LogRow, _ hasher: borrowing MessageHasher) -> Row {
        switch row {
        case .event(let draft, let raw):
            let id = draft.id(revision: 1)
            return .event(
                PreparedEvent(
                    draft, id, body: draft.encoded(id: id, revision: 1),
                    Fingerprints(raw: raw, published: draft.data, hasher)))
        case .rejected(let raw, let reason):
            return .rejected(
                raw: raw, reason: reason, fingerprint: Fingerprints.fingerprint(raw, hasher))
        }
    }
}

/// A row that was normalized. A reference: pages of these are walked over and handed on without copying what is in them.
final class PreparedEvent: Sendable {
    let draft: EventDraft
    let firstID: EventID
    /// As revision 1, with empty slots for what the writer knows.
    let body: [UInt8]
    let fingerprints: Fingerprints

    init(_ draft: EventDraft, _ firstID: EventID, body: [UInt8], _ fingerprints: Fingerprints) {
        (self.draft, self.firstID, self.body, self.fingerprints) = (draft, firstID, body, fingerprints)
    }
}

extension EventDraft {
    package func id(revision: Int64) -> EventID {
        EventID(time: time, digest: Digest.sha256(idContent(revision: revision)))
    }
}
