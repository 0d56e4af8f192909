import EventModel
import SQLite

/// One customer's whole list, stored with the schedule's entry in one transaction (promise L2).
extension PageAppender {
    private struct Absences {
        var pending = 0
        var next: Timestamp?
        var deleted = 0
        var vanished = false
    }

    mutating func append(
        _ page: PreparedPage, _ reading: CustomerReading
    ) throws(DatabaseError) -> ReadingResult {
        try appendRows(page)
        let absences = kind.tellsDeletions ? try settleAbsences(page, reading) : Absences()
        try CustomerLedger.read(
            reading, pending: absences.pending, next: absences.next, source: source, now: head.recorded,
            connection)
        try connection.run(
            "UPDATE sources SET deleted = deleted + ?2 WHERE id = ?1", .integer(source),
            .integer(Int64(absences.deleted)))
        try finish()
        var outcome = ReadingResult()
        (outcome.rows, outcome.deleted, outcome.vanished) = (result, absences.deleted, absences.vanished)
        return outcome
    }

    private mutating func settleAbsences(
        _ page: PreparedPage, _ reading: CustomerReading
    ) throws(DatabaseError) -> Absences {
        var present: Set<EventID> = []
        var isReadable = true
        for row in page.rows {
            guard case .event(let event) = row else {
                // Which record it was cannot be known: nothing may be called absent.
                isReadable = false
                continue
            }
            present.insert(event.firstID)
            try RecordLedger.saw(event.draft, id: event.firstID, key: reading.key, source: source, connection)
        }
        let missing = try RecordLedger.all(of: reading.key, source: source, connection).filter {
            !present.contains($0.firstID)
        }
        var absences = Absences()
        guard isReadable else {
            absences.pending = missing.count
            absences.next = missing.isEmpty ? nil : head.recorded + reading.patience
            return absences
        }
        let rule = AbsenceRule(patience: reading.patience, replyIsEmpty: page.rows.isEmpty)
        absences.vanished = page.rows.isEmpty && missing.contains { $0.absence == nil }
        for record in missing {
            switch rule.judge(record.absence, now: head.recorded) {
            case .deleted:
                try delete(record, eventSource: reading.eventSource)
                absences.deleted += 1
            case .waiting(let absence):
                try RecordLedger.missed(record.firstID, absence, source: source, connection)
                absences.pending += 1
                let confirmed = absence.counted + reading.patience
                absences.next = min(absences.next ?? confirmed, confirmed)
            }
        }
        return absences
    }

    /// The next revision, with the last known row. What comes back afterwards differs from it in both fingerprints, and is the
    /// revision after that.
    private mutating func delete(_ record: RecordLedger.Record, eventSource: String) throws(DatabaseError) {
        try RecordLedger.forget(record.firstID, source: source, connection)
        guard let known = try latest(record.firstID) else { return }
        let draft = EventDraft(
            source: eventSource, account: account, kind: kind, identity: record.identity,
            time: record.firstID.time, subject: record.subject, data: record.data, version: known.version,
            customer: nil)
        let revision = known.revision + 1
        let id = draft.id(revision: revision)
        try insert(
            draft, id: id, revision: revision,
            body: draft.encoded(id: id, revision: revision, isDeletion: true), isDeletion: true)
        try remember(record.firstID, revision: revision, .ofNothing, known.version)
    }
}
