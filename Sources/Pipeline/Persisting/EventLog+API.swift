import EventModel
package import Ports
import SQLite

/// What the API changes, each with its record in the same transaction.
extension EventLog {
    /// Keeps a new token.
    /// - Returns: nil when the name is taken.
    package func addToken(
        _ name: String, hash: [UInt8], scope level: String, _ note: ChangeNote
    ) async throws(LogError) -> StoredToken? {
        let now = timekeeper.now
        return try await change("keep a token") { scope throws(DatabaseError) -> StoredToken? in
            let connection = scope.connection
            try connection.run(
                "INSERT INTO tokens (name, hash, scope, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                .text(name), .blob(hash), .text(level), .integer(now.milliseconds))
            guard connection.changes > 0 else { return nil }
            try Self.keep(note, at: now, connection)
            let id = try connection.first("SELECT id FROM tokens WHERE name = ?1", .text(name)) {
                $0.integer(0)
            }
            return StoredToken(id: id ?? 0, name: name, hash: hash, scope: level, created: now)
        }
    }

    /// - Returns: false when there is no token of this name.
    package func removeToken(_ name: String, _ note: ChangeNote) async throws(LogError) -> Bool {
        let now = timekeeper.now
        return try await change("remove a token") { scope throws(DatabaseError) in
            try scope.connection.run("DELETE FROM tokens WHERE name = ?1", .text(name))
            guard scope.connection.changes > 0 else { return false }
            try Self.keep(note, at: now, scope.connection)
            return true
        }
    }

    /// Records what was asked for and changes nothing in the store by itself: a poll, a backfill.
    package func record(_ note: ChangeNote) async throws(LogError) {
        let now = timekeeper.now
        try await change("record a change") { scope throws(DatabaseError) in
            try Self.keep(note, at: now, scope.connection)
        }
    }

    /// Stores quarantined rows that can be read by now and takes them out of quarantine; they count apart from rows that were
    /// read (L6). Rows that still cannot be read stay.
    /// - Parameter rows: the quarantined rows' numbers, and each read anew.
    package func recover(
        _ rows: [(id: Int64, row: LogRow)], from source: SourceIdentity, _ note: ChangeNote
    ) async throws(LogError) -> RecoveryResult {
        var result = RecoveryResult()
        var readable: [(id: Int64, row: LogRow)] = []
        for row in rows {
            if case .event = row.row { readable.append(row) } else { result.rejected += 1 }
        }
        let ids = readable.map(\.id)
        guard !ids.isEmpty else { return result }
        let page = prepared(readable.map(\.row))
        let now = timekeeper.now
        let stored = try await change("take rows of \(source.name) out of quarantine") {
            scope throws(DatabaseError) in
            var appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            try appender.recover(page, quarantined: ids)
            try Self.keep(note, at: now, scope.connection)
            scope.head = appender.head
            scope.events.take(appender.events)
            return appender.result
        }
        result.recovered = stored.stored + stored.updated
        result.known = stored.duplicate + stored.tooOld
        return result
    }

    static func keep(
        _ note: ChangeNote, at now: Timestamp, _ connection: Connection
    ) throws(DatabaseError) {
        try connection.run(
            "INSERT INTO changes (at, who, what, subject) VALUES (?1, ?2, ?3, ?4)",
            .integer(now.milliseconds), .text(note.who), .text(note.what), .text(note.subject))
    }
}
