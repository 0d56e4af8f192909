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
    /// - Parameter notices: what the log is told of the change, in the same transaction.
    package func save(
        _ record: SubscriptionRecord, from start: SinkStart, notices: [SubscriptionNotice] = [],
        now: Timestamp
    ) async throws(LogError) -> SinkProgress {
        try await change("store the subscription \(record.name)") { scope throws(DatabaseError) in
            let progress = try SinkLedger.open(record.sink, from: start, in: &scope)
            try SubscriptionLedger.save(record, scope.connection)
            for notice in notices { try OperationalEvents.append(notice, now: now, in: &scope) }
            return progress
        }
    }

    /// Removes a subscription; the totals of its account are kept apart.
    package func removeSubscription(_ sink: String, now: Timestamp) async throws(LogError) {
        try await change("remove a subscription") { scope throws(DatabaseError) in
            try SubscriptionLedger.close(sink, cause: "deleted", now: now, in: scope)
            try SubscriptionLedger.remove(sink, scope.connection)
        }
    }

    /// Closes a subscription's account and begins another at `start`.
    package func resetSubscription(
        _ sink: String, to start: SinkStart, now: Timestamp
    ) async throws(LogError) -> SinkProgress {
        try await change("reset a subscription") { scope throws(DatabaseError) in
            try SubscriptionLedger.close(sink, cause: "reset", now: now, in: scope)
            return try SinkLedger.open(sink, from: start, in: &scope)
        }
    }

    /// Moves dead letters back among what waits; see `AttemptLedger.redrive`.
    package func redrive(_ ids: [Int64], of sink: String, now: Timestamp) async throws(LogError) -> [Int64] {
        try await change("redrive dead letters") { scope throws(DatabaseError) in
            try AttemptLedger.redrive(ids, of: sink, now: now, scope.connection)
        }
    }

    /// Forgets attempts that nobody needs any more.
    package func pruneAttempts(now: Timestamp) async throws(LogError) -> Int {
        try await change("forget old attempts") { scope throws(DatabaseError) in
            try AttemptLedger.prune(now: now, scope.connection)
        }
    }

    package func attempts(of sink: String, limit: Int) async throws(LogError) -> [AttemptRecord] {
        try await reader.attempts(of: sink, limit: limit)
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
    package func attempts(of sink: String, limit: Int) throws(LogError) -> [AttemptRecord] {
        try reading { () throws(DatabaseError) in
            try AttemptLedger.attempts(of: sink, limit: limit, connection)
        }
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
