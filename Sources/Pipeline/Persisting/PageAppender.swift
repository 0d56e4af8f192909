import EventModel
import SQLite

/// Stores one page inside a transaction that somebody else began (promises L1, L2, L3).
///
/// Looks every row up by its dedup key, gives new events their offset and recorded time, and moves the source's position.
/// What it changes in memory is in `head`, a value: a page that fails leaves the caller's copy as it was.
struct PageAppender {
    /// The head row and what it becomes.
    struct Head: Equatable {
        var nextOffset: Int64
        var recorded: Timestamp
    }

    let connection: Connection
    let source: Int64
    private let expiredTime: Timestamp?
    let account: String
    let kind: SourceKind
    private let recordedText: [UInt8]
    private(set) var head: Head
    private(set) var result = AppendResult()
    private(set) var events: [StoredEvent] = []
    /// Customers of rows that are new or changed.
    private var noticed: [CustomerReference] = []

    /// - Parameter now: the recorded time of this page, unless the log's latest is later: it never decreases.
    init(
        _ connection: Connection, source identity: SourceIdentity, head: Head, now: Timestamp
    ) throws(DatabaseError) {
        self.connection = connection
        (account, kind) = (identity.account, identity.kind)
        self.head = head
        self.head.recorded = max(now, head.recorded)
        recordedText = Array(self.head.recorded.rfc3339Milliseconds.utf8)
        (source, expiredTime) = try Self.source(identity, connection)
    }

    /// - Parameter position: where the source stands once the page is stored; nil leaves it where it was.
    mutating func append(_ page: PreparedPage, position: SourcePosition?) throws(DatabaseError) {
        try appendRows(page)
        try finish(position: position)
    }

    mutating func appendRows(_ page: PreparedPage) throws(DatabaseError) {
        for row in page.rows {
            switch row {
            case .event(let event):
                try append(event)
            case .rejected(let raw, let reason, let fingerprint):
                try reject(raw, reason, fingerprint)
            }
        }
    }

    /// Rows of a reply that is the same as before: read, and nothing else.
    mutating func countUnchanged(_ rows: Int) {
        result.duplicate += rows
    }

    /// Rows that come back from quarantine: they were counted when they were read.
    /// - Parameter quarantined: their numbers there, where they are no more afterwards.
    mutating func recover(_ page: PreparedPage, quarantined: [Int64]) throws(DatabaseError) {
        try appendRows(page)
        try storeNews()
        var released = 0
        for id in quarantined {
            try connection.run("DELETE FROM quarantine WHERE id = ?1", .integer(id))
            released += connection.changes
        }
        try connection.run(
            """
            UPDATE sources SET recovered = recovered + ?2, recovered_updates = recovered_updates + ?3,
                released = released + ?4 WHERE id = ?1
            """,
            .integer(source), .integer(Int64(result.stored + result.updated)),
            .integer(Int64(result.updated)), .integer(Int64(released)))
    }

    func finish(position: SourcePosition? = nil) throws(DatabaseError) {
        try storeNews()
        try storeSource(position)
    }

    private func storeNews() throws(DatabaseError) {
        if !noticed.isEmpty {
            try CustomerLedger.notice(
                noticed, from: kind, account: account, now: head.recorded, connection)
        }
        try storeHead()
    }

    private mutating func append(_ event: PreparedEvent) throws(DatabaseError) {
        let (draft, firstID, fingerprints) = (event.draft, event.firstID, event.fingerprints)
        // Most rows are new, and a key that is there already is found by its insert: one search for both.
        let mayBeNew = !isTooOld(draft)
        if mayBeNew, try rememberIfNew(firstID, fingerprints, draft.version) {
            try insert(draft, id: firstID, revision: 1, body: event.body)
            result.stored += 1
            notice(draft)
            return
        }
        guard let known = try latest(firstID) else {
            result.tooOld += 1
            return
        }
        // A full sweep can meet an older reading of a row that has been read anew meanwhile.
        if let version = draft.version, let stored = known.version, version < stored {
            result.duplicate += 1
            return
        }
        switch fingerprints.verdict(against: known.fingerprints) {
        case .duplicate:
            result.duplicate += 1
        case .duplicateToRemember:
            try remember(
                firstID, revision: known.revision, fingerprints, draft.version ?? known.version)
            result.duplicate += 1
        case .revision:
            let revision = known.revision + 1
            let id = draft.id(revision: revision)
            try insert(draft, id: id, revision: revision, body: draft.encoded(id: id, revision: revision))
            try remember(firstID, revision: revision, fingerprints, draft.version)
            result.updated += 1
            notice(draft)
        }
    }

    private mutating func notice(_ draft: EventDraft) {
        if let customer = draft.customer { noticed.append(customer) }
    }

    func latest(
        _ id: EventID
    ) throws(DatabaseError) -> (revision: Int64, fingerprints: Fingerprints, version: Timestamp?)? {
        try connection.first(
            "SELECT revision, raw, published, version FROM dedup WHERE source = ?1 AND first_id = ?2",
            .integer(source), .blob(id.bytes)
        ) {
            (
                $0.integer(0), Fingerprints(raw: $0.bytes(1), published: $0.bytes(2)),
                $0.optionalInteger(3).map(Timestamp.init(milliseconds:))
            )
        }
    }

    mutating func insert(
        _ draft: EventDraft, id: EventID, revision: Int64, body: [UInt8], isDeletion: Bool = false
    ) throws(DatabaseError) {
        var body = body
        let offset = head.nextOffset
        let type = draft.type(revision: revision, isDeletion: isDeletion)
        EventSlots.fill(&body, offset: offset, recordedTime: recordedText)
        try connection.run(
            """
            INSERT INTO events (offset, id, source, type, key, recorded, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """,
            .integer(offset), .blob(id.bytes), .integer(source), .text(type), .text(draft.subject),
            .integer(head.recorded.milliseconds), .blob(body))
        head.nextOffset += 1
        events.append(
            StoredEvent(
                offset: offset, id: id, type: type, account: account, kind: kind, key: draft.subject,
                recorded: head.recorded, body: body))
    }

    /// Whether retention has forgotten the keys of rows as old as this: whether it was there nobody knows.
    private func isTooOld(_ draft: EventDraft) -> Bool {
        expiredTime.map { draft.time <= $0 } ?? false
    }

    /// False when the key is known, and then nothing has happened.
    private func rememberIfNew(
        _ id: EventID, _ fingerprints: Fingerprints, _ version: Timestamp?
    ) throws(DatabaseError) -> Bool {
        try connection.run(
            """
            INSERT INTO dedup (source, first_id, revision, raw, published, stored, version)
            VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING
            """,
            .integer(source), .blob(id.bytes), .blob(fingerprints.raw), .blob(fingerprints.published),
            .integer(head.recorded.milliseconds), .optional(version?.milliseconds))
        return connection.changes > 0
    }

    func remember(
        _ id: EventID, revision: Int64, _ fingerprints: Fingerprints, _ version: Timestamp?
    ) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE dedup SET revision = ?3, raw = ?4, published = ?5, stored = ?6, version = ?7
            WHERE source = ?1 AND first_id = ?2
            """,
            .integer(source), .blob(id.bytes), .integer(revision), .blob(fingerprints.raw),
            .blob(fingerprints.published), .integer(head.recorded.milliseconds),
            .optional(version?.milliseconds))
    }

    /// A row that is in quarantine already is a duplicate: the overlap reads it again and again.
    private mutating func reject(
        _ raw: [UInt8], _ reason: String, _ fingerprint: [UInt8]
    ) throws(DatabaseError) {
        try connection.run(
            """
            INSERT INTO quarantine (source, recorded, reason, fingerprint, row) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (source, fingerprint) DO NOTHING
            """,
            .integer(source), .integer(head.recorded.milliseconds), .text(reason), .blob(fingerprint),
            .blob(raw))
        if connection.changes > 0 { result.rejected += 1 } else { result.duplicate += 1 }
    }

    private func storeHead() throws(DatabaseError) {
        guard !events.isEmpty else { return }
        try connection.run(
            "UPDATE head SET next_offset = ?1, recorded = ?2",
            .integer(head.nextOffset), .integer(head.recorded.milliseconds))
    }

    private func storeSource(_ position: SourcePosition?) throws(DatabaseError) {
        try connection.run(
            """
            UPDATE sources SET succeeded = ?2, rows_read = rows_read + ?3, stored = stored + ?4,
                updated = updated + ?5, duplicate = duplicate + ?6, rejected = rejected + ?7, too_old = too_old + ?8
            WHERE id = ?1
            """,
            .integer(source), .integer(head.recorded.milliseconds), .integer(Int64(result.read)),
            .integer(Int64(result.stored)), .integer(Int64(result.updated)),
            .integer(Int64(result.duplicate)),
            .integer(Int64(result.rejected)), .integer(Int64(result.tooOld)))
        guard let position else { return }
        try connection.run(
            "UPDATE sources SET position = ?2, watermark = ?3 WHERE id = ?1", .integer(source),
            .text(position.state), .optional(position.watermark?.milliseconds))
    }

    private static func source(
        _ identity: SourceIdentity, _ connection: Connection
    ) throws(DatabaseError) -> (Int64, Timestamp?) {
        let known = try connection.first(
            "SELECT id, expired_time, name FROM sources WHERE account = ?1 AND kind = ?2",
            .text(identity.account), .text(identity.kind.rawValue)
        ) { ($0.integer(0), $0.optionalInteger(1).map(Timestamp.init(milliseconds:)), $0.text(2)) }
        if let known, known.2 == identity.name { return (known.0, known.1) }
        try connection.run(
            """
            INSERT INTO sources (account, kind, name) VALUES (?1, ?2, ?3)
            ON CONFLICT (account, kind) DO UPDATE SET name = excluded.name
            """,
            .text(identity.account), .text(identity.kind.rawValue), .text(identity.name))
        let id = try connection.first(
            "SELECT id FROM sources WHERE account = ?1 AND kind = ?2",
            .text(identity.account), .text(identity.kind.rawValue)
        ) { $0.integer(0) }
        return (id ?? 0, known?.1)
    }
}
