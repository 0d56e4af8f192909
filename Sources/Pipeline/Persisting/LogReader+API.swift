import EventModel
import SQLite

/// What the API lists. Lists are in the order of their numbers; `after` is exclusive.
extension LogReader {
    package func tokens(after id: Int64 = 0, limit: Int = .max) throws(LogError) -> [StoredToken] {
        try reading { () throws(DatabaseError) in
            try connection.all(
                "SELECT id, name, hash, scope, created FROM tokens WHERE id > ?1 ORDER BY id LIMIT ?2",
                .integer(id), .integer(Int64(limit))
            ) { row in
                StoredToken(
                    id: row.integer(0), name: row.text(1), hash: row.bytes(2), scope: row.text(3),
                    created: Timestamp(milliseconds: row.integer(4)))
            }
        }
    }

    /// The newest first.
    /// - Parameter id: only changes before this one.
    package func changes(before id: Int64, limit: Int) throws(LogError) -> [ChangeRecord] {
        try reading { () throws(DatabaseError) in
            try connection.all(
                "SELECT id, at, who, what, subject FROM changes WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                .integer(id), .integer(Int64(limit))
            ) { row in
                ChangeRecord(
                    id: row.integer(0), at: Timestamp(milliseconds: row.integer(1)),
                    note: ChangeNote(who: row.text(2), what: row.text(3), subject: row.text(4)))
            }
        }
    }

    /// - Parameter source: the source's name; nil is every source.
    package func quarantine(
        of source: String? = nil, after id: Int64, limit: Int
    ) throws(LogError) -> [QuarantinedRow] {
        try reading { () throws(DatabaseError) in
            try connection.all(
                """
                SELECT q.id, s.account, s.kind, s.name, q.recorded, q.reason, q.row
                FROM quarantine q JOIN sources s ON s.id = q.source
                WHERE q.id > ?1 AND (?2 IS NULL OR s.name = ?2) ORDER BY q.id LIMIT ?3
                """, .integer(id), .optional(source), .integer(Int64(limit))
            ) { row in
                SourceKind(rawValue: row.text(2)).map { kind in
                    QuarantinedRow(
                        id: row.integer(0),
                        source: SourceIdentity(account: row.text(1), kind: kind, name: row.text(3)),
                        recorded: Timestamp(milliseconds: row.integer(4)), reason: row.text(5),
                        row: row.bytes(6))
                }
            }.compactMap { $0 }
        }
    }
}
