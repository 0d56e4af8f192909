package import EventModel
import Foundation
package import Ports
import SQLite
package import Services
import Signing

/// The durable, ordered log: the truth between everything that polls and everything that publishes.
///
///     append ──▶ LogWriter ──▶ SQLite (WAL, FULL) ──▶ LogReader ──▶ a sink behind the head
///                    │                                                      ▲
///                    └────────────── LogTail (in memory) ───────────────────┘ a sink at the head
///
/// One writer owns the write connection, gives out offsets and commits what waits together. Readers have connections of
/// their own. An open log holds the store for this process (`STORE.lock`).
///
/// What it promises; tests name these numbers:
/// - **L1** What `append` acknowledged is on disk (fsync) and stays through `kill -9`.
/// - **L2** A source's position is stored in the same transaction as the events it covers, or in one after it; never before.
/// - **L3** An event id is in the log at most once; offsets are dense, start at 1 and never go back.
/// - **L4** A sink's position never passes an event that is neither settled nor kept as waiting.
/// - **L5** Reading again adds deliveries, never events.
/// - **L6** A source's and a sink's account balances at every commit.
package final class EventLog: Sendable {
    package let path: String
    /// Random, for the store's life: tells one log from another under the same relay name.
    package let logID: String

    // The writer's connection closes last: only one that may write folds the WAL into the file, so that the
    // file of a stopped relay is the whole store.
    let reader: LogReader
    private let writer: LogWriter
    let tail: LogTail
    let fingerprintKey: [UInt8]
    let timekeeper: any Timekeeper
    private let lock: StoreLock
    private let appendSeconds: Metric?

    /// How many bytes of new events stay in memory for the sinks at the head.
    private static let tailBytes = 16 << 20

    /// Opens the store for writing, making it and its folder when they are missing (file mode 0600).
    /// - Parameters:
    ///   - appendSeconds: gets how long each page took until it was on disk.
    ///   - queue: makes what the store's blocking work is done on, once for writing and once for reading.
    /// - Throws: `.inUse` while another process holds it, `.foreign` for a file that is not ours or too new.
    package init(
        path: String, timekeeper: any Timekeeper, appendSeconds: Metric? = nil,
        queue: (_ label: String) -> BlockingQueue = { BlockingQueue(label: $0) }
    ) throws(LogError) {
        self.path = path
        self.appendSeconds = appendSeconds
        self.timekeeper = timekeeper
        try Self.makeFolder(of: path)
        lock = try StoreLock(storePath: path)
        let opened = try Self.open(path)
        logID = opened.logID
        fingerprintKey = opened.fingerprintKey
        let tail = LogTail(head: opened.head.nextOffset - 1, maxBytes: Self.tailBytes)
        self.tail = tail
        writer = LogWriter(
            connection: opened.connection, head: opened.head,
            queue: queue("millrace.log.writer"),
            didCommit: { tail.publish($0) })
        reader = try LogReader(path: path, queue: queue("millrace.log.reader"))
    }

    /// Offset of the newest event; 0 before the first.
    package var head: Int64 { tail.head }

    // MARK: - Writing

    /// Stores a page whole: keys, events with their offsets, quarantine, counts and the source's new position (L1–L3).
    /// - Parameter position: where the source stands once this page is stored; nil leaves it where it was.
    package func append(
        _ rows: [LogRow], from source: SourceIdentity, position: SourcePosition?
    ) async throws(LogError) -> AppendResult {
        try await append(prepared(rows), from: source, position: position)
    }

    /// The part of storing a page that needs no store, for who stores one page after the other: the next can be prepared while
    /// one is stored. Takes some microseconds a row.
    package func prepared(_ rows: [LogRow]) -> PreparedPage {
        PreparedPage(rows, key: fingerprintKey)
    }

    /// As `append` of rows (L1–L3).
    package func append(
        _ page: PreparedPage, from source: SourceIdentity, position: SourcePosition?
    ) async throws(LogError) -> AppendResult {
        let begun = timekeeper.elapsed
        let now = timekeeper.now
        let result = try await change("store a page of \(source.name)") { scope throws(DatabaseError) in
            var appender = try PageAppender(scope.connection, source: source, head: scope.head, now: now)
            try appender.append(page, position: position)
            scope.head = appender.head
            scope.events.take(appender.events)
            return appender.result.with(offsetsOf: appender.events)
        }
        appendSeconds?.observe(timekeeper.elapsed - begun)
        return result
    }

    /// The sink's progress; a name seen for the first time begins at `start`, which is resolved now and kept.
    package func openSink(_ name: String, from start: SinkStart) async throws(LogError) -> SinkProgress {
        try await change("open the sink \(name)") { scope throws(DatabaseError) in
            try SinkLedger.open(name, from: start, in: &scope)
        }
    }

    /// Stores what a sink has settled (L4, L6).
    package func settle(_ name: String, _ update: SinkUpdate) async throws(LogError) {
        try await change("store the position of \(name)") { scope throws(DatabaseError) in
            try SinkLedger.settle(name, update, scope.connection)
        }
    }

    /// One step of forgetting; call again while it says there was something to do.
    /// - Parameters:
    ///   - retention: events recorded longer ago than this go; zero keeps them.
    ///   - hard: events recorded longer ago than this go even when a sink has not settled them, and the log is told of it in
    ///     the same transaction; zero never cuts.
    ///   - dedupRetention: keys of visits and outflow stored longer ago go; zero keeps them.
    ///   - relay: the relay's name, for that event's source.
    package func forget(
        retention: Duration, hard: Duration = .zero, dedupRetention: Duration, relay: String = ""
    ) async throws(LogError) -> Forgotten {
        let now = timekeeper.now
        let logID = self.logID
        return try await change("apply retention") { scope throws(DatabaseError) in
            var forgotten = Forgotten()
            if retention > .zero {
                let result = try Retention.removeEvents(
                    recordedBefore: now - retention, hard: hard > .zero ? now - hard : nil, scope.connection)
                (forgotten.removed, forgotten.cut) = (result.removed, result.cut)
                if let cut = result.cut, !cut.sinks.isEmpty {
                    try OperationalEvents.append(cut, relay: relay, logID: logID, now: now, in: &scope)
                }
            }
            guard dedupRetention > .zero else { return forgotten }
            let sources = try scope.connection.all(
                "SELECT id FROM sources WHERE kind IN ('tanma.visits', 'weiban.outflow')"
            ) { $0.integer(0) }
            for source in sources {
                forgotten.removed += try Retention.removeKeys(
                    source: source, storedBefore: now - dedupRetention, scope.connection)
            }
            return forgotten
        }
    }

    // MARK: - Reading

    /// Events after an offset, from memory when they are recent, else from the store; empty at the head.
    package func events(
        after offset: Int64, limit: Int, maxBytes: Int = 8 << 20
    ) async throws(LogError) -> [StoredEvent] {
        if let recent = tail.events(after: offset, limit: limit, maxBytes: maxBytes) { return recent }
        return try await reader.events(after: offset, limit: limit, maxBytes: maxBytes)
    }

    /// Returns once there is an event after `offset`, or when the task is cancelled.
    package func waitForEvent(after offset: Int64) async {
        await tail.waitForEvent(after: offset)
    }

    package func event(at offset: Int64) async throws(LogError) -> StoredEvent? {
        try await reader.event(at: offset)
    }

    /// A source's stored position; nil before its first page.
    package func position(of source: SourceIdentity) async throws(LogError) -> SourcePosition? {
        try await reader.sources().first {
            $0.identity.account == source.account && $0.identity.kind == source.kind
        }?.position
    }

    package func summary() async throws(LogError) -> LogSummary { try await reader.summary() }
    package func sources() async throws(LogError) -> [SourceRecord] { try await reader.sources() }
    package func sinks() async throws(LogError) -> [SinkRecord] { try await reader.sinks() }

    /// The account (L6). A thorough one has a connection of its own: it may take as long as reading all events takes.
    package func audit(thorough: Bool) async throws(LogError) -> Audit {
        let reader = thorough ? try LogReader(path: path) : reader
        return try await reader.audit(thorough: thorough)
    }

    // MARK: - Inside

    func change<T: Sendable>(
        _ doing: String, _ body: @escaping @Sendable (inout LogWriter.Scope) throws(DatabaseError) -> T
    ) async throws(LogError) -> T {
        try await writer.perform { scope throws(LogError) in
            do throws(DatabaseError) {
                return try body(&scope)
            } catch {
                throw LogError(error, doing: doing)
            }
        }
    }
}
