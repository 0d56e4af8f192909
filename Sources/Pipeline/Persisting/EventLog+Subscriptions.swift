package import EventModel
import SQLite

extension EventLog {
    // MARK: - Delivering

    /// Stores what several sinks have settled, with their attempts, their state and what the log is told of it: one
    /// transaction (L4, L6).
    package func settle(
        _ updates: [(sink: String, update: SinkUpdate)], now: Timestamp
    ) async throws(LogError) {
        try await change("store the positions of subscriptions") { scope throws(DatabaseError) in
            for (sink, update) in updates {
                try SinkLedger.settle(sink, update, scope.connection)
                try AttemptLedger.keep(update.failures, update.successes, of: sink, scope.connection)
                if let health = update.health {
                    try SubscriptionLedger.store(health, of: sink, scope.connection)
                }
                for notice in update.notices {
                    try OperationalEvents.append(notice, now: now, in: &scope)
                }
            }
        }
    }

    /// Everything of a sink that waits for another attempt, by offset.
    package func retries(of sink: String) async throws(LogError) -> [RetryRow] {
        try await change("read what waits for \(sink)") { scope throws(DatabaseError) in
            try SinkLedger.retries(sink, scope.connection)
        }
    }

    /// Events after an offset when all of them are still in memory: empty at the head, nil for who is further behind.
    package func recentEvents(after offset: Int64, limit: Int, maxBytes: Int) -> [StoredEvent]? {
        tail.events(after: offset, limit: limit, maxBytes: maxBytes)
    }

    // MARK: - Subscriptions

    package func subscriptions() async throws(LogError) -> [SubscriptionRecord] {
        try await reader.subscriptions()
    }

    /// Stores a subscription, new or changed; a new one begins at `start`, which is resolved now and kept.
    /// - Parameters:
    ///   - notices: what the log is told of the change, in the same transaction.
    ///   - note: who asked for it, recorded in the same transaction; nil when nobody did.
    package func save(
        _ record: SubscriptionRecord, from start: SinkStart, notices: [SubscriptionNotice] = [],
        note: ChangeNote? = nil, now: Timestamp
    ) async throws(LogError) -> SinkProgress {
        try await change("store the subscription \(record.name)") { scope throws(DatabaseError) in
            let progress = try SinkLedger.open(record.sink, from: start, in: &scope)
            try SubscriptionLedger.save(record, scope.connection)
            for notice in notices { try OperationalEvents.append(notice, now: now, in: &scope) }
            if let note { try Self.keep(note, at: now, scope.connection) }
            return progress
        }
    }

    /// Removes a subscription; the totals of its account are kept apart.
    package func removeSubscription(
        _ sink: String, note: ChangeNote? = nil, now: Timestamp
    ) async throws(LogError) {
        try await change("remove a subscription") { scope throws(DatabaseError) in
            try SubscriptionLedger.close(sink, cause: "deleted", now: now, in: scope)
            try SubscriptionLedger.remove(sink, scope.connection)
            if let note { try Self.keep(note, at: now, scope.connection) }
        }
    }

    /// Closes a subscription's account and begins another at `start`.
    package func resetSubscription(
        _ sink: String, to start: SinkStart, note: ChangeNote? = nil, now: Timestamp
    ) async throws(LogError) -> SinkProgress {
        try await change("reset a subscription") { scope throws(DatabaseError) in
            try SubscriptionLedger.close(sink, cause: "reset", now: now, in: scope)
            if let note { try Self.keep(note, at: now, scope.connection) }
            return try SinkLedger.open(sink, from: start, in: &scope)
        }
    }

    /// Moves dead letters back among what waits; see `AttemptLedger.redrive`.
    package func redrive(
        _ ids: [Int64], of sink: String, note: ChangeNote? = nil, now: Timestamp
    ) async throws(LogError) -> [Int64] {
        try await change("redrive dead letters") { scope throws(DatabaseError) in
            if let note { try Self.keep(note, at: now, scope.connection) }
            return try AttemptLedger.redrive(ids, of: sink, now: now, scope.connection)
        }
    }

    /// Forgets attempts that nobody needs any more.
    package func pruneAttempts(now: Timestamp) async throws(LogError) -> Int {
        try await change("forget old attempts") { scope throws(DatabaseError) in
            try AttemptLedger.prune(now: now, scope.connection)
        }
    }

    /// The newest first.
    /// - Parameter until: none that began later.
    package func attempts(
        of sink: String, until: Timestamp = Timestamp(milliseconds: .max), limit: Int
    ) async throws(LogError) -> [AttemptRecord] {
        try await reader.attempts(of: sink, until: until, limit: limit)
    }

    /// Those of these dead letters that there are, by id.
    package func deadLetters(ids: [Int64]) async throws(LogError) -> [DeadLetterRecord] {
        try await reader.deadLetters(ids: ids)
    }

    /// What waits for another attempt, by offset, a page of it.
    package func retries(
        of sink: String, after offset: Int64, limit: Int
    ) async throws(LogError) -> [RetryRow] {
        try await reader.retries(of: sink, after: offset, limit: limit)
    }

    /// What has become of one event at each sink that knows it as waiting or dead.
    package func troubles(at offset: Int64) async throws(LogError) -> [String: EventTrouble] {
        try await reader.troubles(at: offset)
    }

    package func deadLetters(
        of sink: String?, after: Int64, limit: Int
    ) async throws(LogError) -> [DeadLetterRecord] {
        try await reader.deadLetters(of: sink, after: after, limit: limit)
    }

    package func sink(_ name: String) async throws(LogError) -> SinkRecord? {
        try await reader.sink(name)
    }

    package func closedAccounts() async throws(LogError) -> [ClosedAccount] {
        try await reader.closedAccounts()
    }
}

extension LogReader {
    package func subscriptions() throws(LogError) -> [SubscriptionRecord] {
        try reading { () throws(DatabaseError) in try SubscriptionLedger.all(connection) }
    }

    /// The newest first.
    func attempts(of sink: String, until: Timestamp, limit: Int) throws(LogError) -> [AttemptRecord] {
        try reading { () throws(DatabaseError) in
            try AttemptLedger.attempts(of: sink, until: until, limit: limit, connection)
        }
    }

    func deadLetters(ids: [Int64]) throws(LogError) -> [DeadLetterRecord] {
        try reading { () throws(DatabaseError) in
            var found: [DeadLetterRecord] = []
            for id in Set(ids).sorted() {
                found += try AttemptLedger.deadLetters(of: nil, after: id - 1, limit: 1, connection)
                    .filter { $0.id == id }
            }
            return found
        }
    }

    func retries(of sink: String, after offset: Int64, limit: Int) throws(LogError) -> [RetryRow] {
        try reading { () throws(DatabaseError) in
            try SinkLedger.retries(sink, after: offset, limit: limit, connection)
        }
    }

    func troubles(at offset: Int64) throws(LogError) -> [String: EventTrouble] {
        try reading { () throws(DatabaseError) in try SinkLedger.troubles(at: offset, connection) }
    }

    /// The oldest first, those of every sink when none is named.
    package func deadLetters(
        of sink: String?, after: Int64, limit: Int
    ) throws(LogError) -> [DeadLetterRecord] {
        try reading { () throws(DatabaseError) in
            try AttemptLedger.deadLetters(of: sink, after: after, limit: limit, connection)
        }
    }

    package func closedAccounts() throws(LogError) -> [ClosedAccount] {
        try reading { () throws(DatabaseError) in try SubscriptionLedger.closed(connection) }
    }
}
