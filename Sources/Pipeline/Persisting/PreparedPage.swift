package import EventModel
import Ports
import Signing

/// A page with everything computed that needs no database: ids, fingerprints, the encoding of first revisions.
///
/// Made on the caller's side, so that the one writer only looks up, fills slots and inserts.
struct PreparedPage: Sendable {
    enum Row: Sendable {
        case event(draft: EventDraft, firstID: EventID, body: [UInt8], fingerprints: Fingerprints)
        case rejected(raw: [UInt8], reason: String, fingerprint: [UInt8])
    }

    let source: SourceIdentity
    let rows: [Row]
    let position: SourcePosition?

    init(source: SourceIdentity, rows: [LogRow], position: SourcePosition?, key: [UInt8]) {
        self.source = source
        self.position = position
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
                draft: draft, firstID: id, body: draft.encoded(id: id, revision: 1),
                fingerprints: Fingerprints(raw: raw, published: draft.data, hasher))
        case .rejected(let raw, let reason):
            return .rejected(
                raw: raw, reason: reason, fingerprint: Fingerprints.fingerprint(raw, hasher))
        }
    }
}

extension EventDraft {
    package func id(revision: Int64) -> EventID {
        EventID(time: time, digest: Digest.sha256(idContent(revision: revision)))
    }
}
