import EventModel
import SQLite

/// What each customer's latest whole reading held, inside a transaction that somebody else began: what is not there any
/// more is told of as deleted, with its last known row.
enum RecordLedger {
    struct Record {
        let firstID: EventID
        let identity: String
        let subject: String
        let data: [UInt8]
        let absence: AbsenceRule.Absence?
    }

    /// A record is there; it belongs to the customer under whom it was seen last.
    static func saw(
        _ draft: EventDraft, id: EventID, key: String, source: Int64, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            """
            INSERT INTO records (source, first_id, key, identity, subject, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (source, first_id) DO UPDATE
                SET key = excluded.key, subject = excluded.subject, data = excluded.data, absent = NULL, misses = 0
            """,
            .integer(source), .blob(id.bytes), .text(key), .text(draft.identity), .text(draft.subject),
            .blob(draft.data))
    }

    static func all(
        of key: String, source: Int64, _ connection: Connection
    ) throws(DatabaseError) -> [Record] {
        try connection.all(
            """
            SELECT first_id, identity, subject, data, absent, misses FROM records
            WHERE source = ?1 AND key = ?2 ORDER BY first_id
            """,
            .integer(source), .text(key)
        ) { row -> Record? in
            let misses = Int(row.integer(5))
            guard let id = EventID(bytes: row.bytes(0)) else { return nil }
            return Record(
                firstID: id, identity: row.text(1), subject: row.text(2), data: row.bytes(3),
                absence: row.optionalInteger(4).map {
                    AbsenceRule.Absence(counted: Timestamp(milliseconds: $0), misses: misses)
                })
        }.compactMap { $0 }
    }

    static func missed(
        _ id: EventID, _ absence: AbsenceRule.Absence, source: Int64, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            "UPDATE records SET absent = ?3, misses = ?4 WHERE source = ?1 AND first_id = ?2",
            .integer(source), .blob(id.bytes), .integer(absence.counted.milliseconds),
            .integer(Int64(absence.misses)))
    }

    static func forget(_ id: EventID, source: Int64, _ connection: Connection) throws(DatabaseError) {
        try connection.run(
            "DELETE FROM records WHERE source = ?1 AND first_id = ?2", .integer(source), .blob(id.bytes))
    }
}
