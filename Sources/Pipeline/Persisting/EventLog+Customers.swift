package import EventModel
package import Ports
import SQLite
import Signing

/// The schedule over customers: what the sources that ask for one customer at a time keep in the store.
extension EventLog {
    /// Who is next; nothing for a source that has no position yet.
    package func customers(of source: SourceIdentity, at now: Timestamp) async throws(LogError)
        -> ScheduleHead
    {
        try await reader.scheduleHead(of: source, at: now)
    }

    package func customerCounts(of source: SourceIdentity) async throws(LogError) -> ScheduleCounts {
        try await reader.scheduleCounts(of: source)
    }

    /// Enters customers, with how far their discovery has come, in one transaction (L2). Those that are known stay as they are.
    package func discovered(
        _ customers: [CustomerReference], for source: SourceIdentity, position: SourcePosition
    ) async throws(LogError) {
        let now = timekeeper.now
        try await change("store customers of \(source.name)") { scope throws(DatabaseError) in
            let appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            try CustomerLedger.discover(
                customers, source: appender.source, kind: source.kind, scope.connection)
            try CustomerLedger.undoJump(source: appender.source, now: now, scope.connection)
            try appender.finish(position: position)
        }
    }

    /// What a reading of these rows is told from another by; gives nothing away about them.
    package func replyFingerprint(_ rows: [[UInt8]]) -> [UInt8] {
        // A zero byte cannot stand in JSON: no two lists of rows give the same bytes.
        Fingerprints.fingerprint(Array(rows.joined(separator: [0])), MessageHasher(key: fingerprintKey))
    }

    /// Stores a customer's whole list: events, deletions and the schedule's entry in one transaction (L1–L3).
    package func store(
        _ rows: [LogRow], from source: SourceIdentity, _ reading: CustomerReading
    ) async throws(LogError) -> ReadingResult {
        let page = prepared(rows)
        let now = timekeeper.now
        return try await change("store a customer of \(source.name)") { scope throws(DatabaseError) in
            var appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            let result = try appender.append(page, reading)
            scope.head = appender.head
            scope.events.take(appender.events)
            return result
        }
    }

    /// The reply is the one of the reading before: its rows are counted as duplicates and not looked at.
    package func storeUnchanged(
        rows count: Int, from source: SourceIdentity, _ reading: CustomerReading
    ) async throws(LogError) -> AppendResult {
        let now = timekeeper.now
        return try await change("store a customer of \(source.name)") { scope throws(DatabaseError) in
            var appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            appender.countUnchanged(count)
            try CustomerLedger.read(
                reading, pending: 0, next: nil, source: appender.source, now: appender.head.recorded,
                scope.connection)
            try appender.finish()
            return appender.result
        }
    }

    /// The call for a customer failed; it is wanted again at `again` and lets all others go first.
    package func customerFailed(
        _ key: String, of source: SourceIdentity, again: Timestamp
    ) async throws(LogError) {
        let now = timekeeper.now
        try await change("store a failed call of \(source.name)") { scope throws(DatabaseError) in
            let appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            try CustomerLedger.failed(
                key, source: appender.source, now: now, again: again, scope.connection)
        }
    }
}
