import EventModel
import Ports
import SQLite
import Services
import Synchronization
import TestSupport
import Testing

@testable import Persisting

/// L6: the account balances at every commit, and an audit finds it when it does not.
@Suite struct AuditTests {
    /// A store with everything an account can hold: two sources, revisions, duplicates, quarantine, a deletion-free
    /// retention, one sink in the middle of its work.
    private static func lived() async throws -> LogFixture {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("kafka", from: .beginning)
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        fixture.clock.advance(by: .seconds(100))
        try await log.settle("kafka", settled(upTo: 10))
        _ = try await log.forget(retention: .seconds(50), dedupRetention: .zero)
        _ = try await log.openSink("webhook/crm", from: .now)
        _ = try await log.append(
            [LogFixture.row("row-3", content: "b", raw: "b", at: LogFixture.time + .seconds(3))]
                + LogFixture.rows(8..<16) + [.rejected(raw: Array("x".utf8), reason: "row: not readable")],
            from: fixture.source, position: nil)
        var update = SinkUpdate(progress: SinkProgress(position: 12, settled: [14...15]))
        (update.delivered, update.filtered) = (1, 1)
        update.dead = [
            DeadLetter(offset: 14, attempts: 1, died: fixture.clock.now, status: 413, reason: "too large")
        ]
        update.waiting = [
            RetryRow(
                offset: 15, attempts: 1, due: fixture.clock.now, firstFailed: fixture.clock.now, status: 500,
                reason: "HTTP status 500")
        ]
        try await log.settle("webhook/crm", update)
        return fixture
    }

    private static func settled(upTo position: Int64) -> SinkUpdate {
        var update = SinkUpdate(progress: SinkProgress(position: position))
        update.delivered = Int(position)
        return update
    }

    private static func audit(_ fixture: LogFixture, thorough: Bool = true) async throws -> Audit {
        try await LogReader(path: fixture.path).audit(thorough: thorough)
    }

    @Test(arguments: [true, false]) func aStoreThatHasLivedBalances(thorough: Bool) async throws {
        let fixture = try await Self.lived()
        let audit = try await Self.audit(fixture, thorough: thorough)
        #expect(audit.discrepancies.isEmpty)
        let source = try #require(audit.sources.first)
        #expect(source.read == 20 && source.stored == 16 && source.updated == 1)
        #expect(source.duplicate == 2 && source.rejected == 1 && source.forgotten == 10)
        let sink = try #require(audit.sinks.last)
        #expect(sink.events == 7 && sink.delivered == 1 && sink.filtered == 1 && sink.dead == 1)
        #expect(sink.pending == 4)
        #expect(try await LogReader(path: fixture.path).problems().isEmpty)
    }

    @Test func whatWaitsInABatchIsHeldOrHasExpiredIsAccountedFor() async throws {
        let fixture = try await Self.lived()
        let log = try fixture.open()
        var update = SinkUpdate(progress: SinkProgress(position: 17))
        (update.expired, update.released) = (1, [15])
        update.waiting = [
            RetryRow(
                offset: 13, attempts: 0, due: fixture.clock.now, firstFailed: fixture.clock.now, status: nil,
                reason: "in a batch", members: [13, 16, 17])
        ]
        try await log.settle("webhook/crm", update)
        try rawConnection(fixture.path).execute(
            script: """
                INSERT INTO subscriptions (sink, id, name, url, is_configured, settings, created, changed, state)
                VALUES ('webhook/crm', 'sub_1', 'crm', 'https://example.com/', 0, '{}', 0, 0, 'paused')
                """)
        let audit = try await Self.audit(fixture)
        #expect(audit.discrepancies.isEmpty)
        let sink = try #require(audit.sinks.last)
        #expect(sink.pending == 0 && sink.held == 3 && sink.expired == 1)
    }

    @Test(arguments: [
        ("UPDATE sources SET rows_read = rows_read + 1", "rows read is 21"),
        ("UPDATE sources SET duplicate = duplicate - 2", "rows read is 20"),
        ("UPDATE sinks SET delivered = delivered + 3 WHERE name = 'kafka'", "sink kafka: events is 17"),
        ("UPDATE sinks SET filtered = 0 WHERE name = 'webhook/crm'", "(difference 1)"),
        ("UPDATE sinks SET position = position + 1 WHERE name = 'webhook/crm'", "sink webhook/crm: events"),
        ("UPDATE sinks SET settled = '[]' WHERE name = 'webhook/crm'", "sink webhook/crm: events"),
        ("DELETE FROM retries", "sink webhook/crm: events"),
    ])
    func aQuickAuditFindsCountsThatDoNotAddUp(damage: String, sentence: String) async throws {
        let fixture = try await Self.lived()
        try rawConnection(fixture.path).execute(script: damage)
        let found = try await Self.audit(fixture, thorough: false).discrepancies
        #expect(found.count == 1 && found.first?.description.contains(sentence) == true, "\(found)")
    }

    @Test(arguments: [
        (
            "DELETE FROM events WHERE offset = 13",
            "source visits: stored + updated + deleted + recovered is 17"
        ),
        ("DELETE FROM events WHERE offset = 13", "log: head - oldest + 1 is 7, but events kept is 6"),
        ("DELETE FROM events WHERE offset = 17", "log: head - oldest + 1"),
        (
            "UPDATE sources SET stored = stored + 1, rows_read = rows_read + 1",
            "source visits: stored + recovered rows is 17"
        ),
        ("UPDATE sources SET forgotten = 11", "log: events removed is 10"),
        (
            "DELETE FROM quarantine",
            "source visits: rejected is 1, but its rows in quarantine + those that left it is 0"
        ),
        (
            "DELETE FROM dedup WHERE revision = 2",
            "source visits: stored + recovered rows is 16, but its dedup keys is 15"
        ),
        (
            "UPDATE dedup SET revision = 3 WHERE revision = 2",
            "source visits: updated + deleted + recovered revisions is 1"
        ),
        ("DELETE FROM dead", "sink webhook/crm: dead is 1, but its dead letters is 0"),
        ("UPDATE events SET source = 99 WHERE offset = 12", "log: events kept is 7"),
    ])
    func aThoroughAuditFindsWhatTheCountsHide(damage: String, sentence: String) async throws {
        let fixture = try await Self.lived()
        try rawConnection(fixture.path).execute(script: damage)
        let found = try await Self.audit(fixture).discrepancies.map(\.description)
        #expect(found.contains { $0.contains(sentence) }, "\(found)")
    }

    @Test(arguments: [
        ("UPDATE events SET offset = 99 WHERE offset = 17", "gaps"),
        ("UPDATE events SET recorded = 5 WHERE offset = 14", "recorded before"),
        ("UPDATE events SET body = replace(body, 'sequence', 'seqvence') WHERE offset = 12", "do not say"),
        ("UPDATE events SET id = zeroblob(3) WHERE offset = 12", "do not say"),
        ("UPDATE head SET next_offset = 30", "the head is 29"),
        ("UPDATE head SET recorded = 0", "later than the head"),
        ("DELETE FROM head", "is missing"),
        (
            "DELETE FROM dedup WHERE first_id = (SELECT id FROM events WHERE offset = 13)",
            "1 events have no dedup key"
        ),
        ("UPDATE sinks SET position = 99 WHERE name = 'kafka'", "position 99 is not in the log"),
        ("UPDATE sinks SET settled = 'x' WHERE name = 'kafka'", "cannot be read"),
        ("UPDATE sinks SET settled = '[[12,13],[14,15]]' WHERE name = 'webhook/crm'", "not apart"),
        ("UPDATE sinks SET settled = '[[14,15],[40,41]]' WHERE name = 'webhook/crm'", "above the head"),
        ("UPDATE retries SET offset = 5", "not in the log any more"),
        ("UPDATE retries SET offset = 16", "open too"),
    ])
    func anExaminationSaysWhatIsWrong(damage: String, sentence: String) async throws {
        let fixture = try await Self.lived()
        try rawConnection(fixture.path).execute(script: damage)
        let found = try await LogReader(path: fixture.path).problems()
        #expect(found.contains { $0.contains(sentence) }, "\(found)")
    }

    @Test func aRunningRelaySaysOnceWhatDoesNotBalance() async throws {
        let fixture = try await Self.lived()
        let log = try fixture.open()
        try rawConnection(fixture.path).execute(script: "UPDATE sources SET too_old = 5")
        let lines = Mutex<[String]>([])
        let logger = Logger(
            level: .info, format: .text, write: { line in lines.withLock { $0.append(line) } })
        let keeper = AuditKeeper(log, timekeeper: fixture.clock, logger: logger)
        async let done: Void = keeper.run()
        #expect(await fixture.clock.nextSleep() == .seconds(300))
        fixture.clock.advance(by: .seconds(300))
        #expect(await fixture.clock.nextSleep() == .seconds(300))
        await keeper.stop()
        try await done
        let said = lines.withLock { $0 }
        #expect(said.count == 1 && said[0].contains("ERROR") && said[0].contains("difference -5"), "\(said)")
    }

    /// They were counted when they were read, and their events, keys and places in quarantine are counted apart.
    @Test func rowsThatComeBackFromQuarantineAreAccountedFor() async throws {
        let fixture = try await Self.withRecoveredRows()
        let audit = try await Self.audit(fixture)
        #expect(audit.discrepancies.isEmpty, "\(audit.discrepancies)")
        let source = try #require(audit.sources.first)
        #expect(source.rejected == 4 && source.recovered == 2 && source.counted?.quarantined == 1)
        #expect(try await LogReader(path: fixture.path).problems().isEmpty)
    }

    /// A new row, a new revision of one that is known, one that is known as it is, and one that still cannot be read.
    private static func withRecoveredRows() async throws -> LogFixture {
        let fixture = try await lived()
        let log = try fixture.open()
        let rejected = (1...3).map { LogRow.rejected(raw: [UInt8($0)], reason: "row: not readable") }
        _ = try await log.append(rejected, from: fixture.source, position: nil)
        let later = LogFixture.time + .seconds(4)
        _ = try await log.recover(
            [
                (1, LogFixture.row("row-99")), (2, LogFixture.row("row-4", content: "c", at: later)),
                (3, LogFixture.row("row-4", content: "c", at: later)),
                (4, .rejected(raw: [3], reason: "row: not readable")),
            ], from: fixture.source, ChangeNote(who: "ops", what: "quarantine.retried", subject: "visits"))
        return fixture
    }

    @Test func migratedStoreKnowsWhatHadComeBackFromQuarantine() async throws {
        let fixture = try await Self.withRecoveredRows()
        try rawConnection(fixture.path).execute(
            script: """
                ALTER TABLE sources DROP COLUMN released; ALTER TABLE sources DROP COLUMN recovered_updates;
                PRAGMA user_version = 6
                """)
        _ = try fixture.open()
        #expect(try await Self.audit(fixture).discrepancies.isEmpty)
    }

    @Test func migratedStoreKnowsWhatItHadForgotten() async throws {
        let fixture = try await Self.lived()
        try rawConnection(fixture.path).execute(
            script: """
                ALTER TABLE sources DROP COLUMN forgotten; ALTER TABLE sources DROP COLUMN recovered;
                ALTER TABLE sources DROP COLUMN released; ALTER TABLE sources DROP COLUMN recovered_updates;
                DROP TABLE tokens; DROP TABLE changes; DROP TABLE replays; PRAGMA user_version = 4
                """)
        _ = try fixture.open()
        #expect(try await Self.audit(fixture).sources.first?.forgotten == 10)
        #expect(try await Self.audit(fixture).balances)
    }

    @Test func jsonNamesEveryTerm() async throws {
        let fixture = try await Self.lived()
        let text = String(decoding: try await Self.audit(fixture).json, as: UTF8.self)
        #expect(text.hasPrefix(#"{"balanced":true,"log":{"head":17,"oldest":11,"removed":10,"#))
        #expect(
            text.contains(#""rows_read":20,"stored":16,"updated":1,"duplicate":2,"rejected":1,"too_old":0"#))
        #expect(
            text.contains(#"{"name":"kafka","events":17,"published":10,"filtered":0,"dead":0,"pending":7"#))
        #expect(text.contains(#""discrepancies":[]"#))
    }
}
