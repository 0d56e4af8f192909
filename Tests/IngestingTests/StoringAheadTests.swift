import EventModel
import Persisting
import Ports
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import Ingesting

/// A page is stored while the next is fetched; that must never let a watermark pass a page that is not on disk.
@Suite(.timeLimit(.minutes(1)))
struct StoringAheadTests {
    private let fixture: PollerFixture
    private let log: EventLog

    init() throws {
        fixture = try PollerFixture()
        log = try fixture.openLog()
    }

    /// Two pages, and a store that somebody else holds from before the first until the second is asked for.
    private struct HeldStoreSource: WindowSource {
        let kind = SourceKind.visits
        let log: EventLog
        let other: Held
        let page = Page(rows: [Array("999100|a|A".utf8)], vendorTime: nil)
        let next = Page(rows: [Array("999200|b|B".utf8)], vendorTime: nil)

        final class Held: Sendable {
            let connection: Mutex<Connection>
            let headAtSecondPage = Mutex<Int64?>(nil)

            init(_ path: String) throws {
                connection = Mutex(try Connection(path: path, access: .readWrite, busyTimeout: .seconds(5)))
            }

            func run(_ script: String) throws(SourceError) {
                let failure = connection.withLock { connection -> String? in
                    do throws(DatabaseError) { try connection.execute(script: script) } catch {
                        return "\(error)"
                    }
                    return nil
                }
                if let failure { throw SourceError(.transport, doing: "hold the store", cause: failure) }
            }
        }

        nonisolated(nonsending) func read(
            _ window: Window, lane: String,
            store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
        ) async throws(SourceError) {
            try other.run("BEGIN IMMEDIATE")
            try await store(page)
            other.headAtSecondPage.withLock { $0 = log.head }
            try other.run("ROLLBACK")
            try await store(next)
        }
    }

    @Test func theNextPageIsAskedForWhileOneIsStored() async throws {
        let held = try HeldStoreSource.Held(fixture.path)
        let poller = fixture.poller(log, source: HeldStoreSource(log: log, other: held))
        #expect(try await poller.pollOnce().stored == 2)
        #expect(held.headAtSecondPage.withLock { $0 } == 0)
        #expect(try await fixture.events(log) == ["A", "B"].map { "\($0) visit.recorded 1" })
    }

    /// Rows a, b in the first page, c, d in the second, e in the last.
    @Test(arguments: [("a", 0), ("d", 2), ("e", 4)])
    func aPageThatCannotBeStoredFailsItsWindowWhereverItStands(row: String, stored: Int) async throws {
        fixture.source.put("999100|a|A", "999200|b|B", "999300|c|C", "999400|d|D", "999500|e|E")
        let other = try Connection(path: fixture.path, access: .readWrite, busyTimeout: .seconds(5))
        try other.execute(
            script: """
                CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.key = 'unionid/\(row)'
                BEGIN SELECT RAISE(ABORT, 'no room'); END
                """)
        await #expect(throws: SourceError.self) { try await fixture.poller(log).pollOnce() }
        #expect(try await fixture.events(log).count == stored)
        #expect(try await fixture.watermark(log) == 999_000)
        try other.execute(script: "DROP TRIGGER full")
        _ = try await fixture.poller(log).pollOnce()
        #expect(try await fixture.events(log) == ["A", "B", "C", "D", "E"].map { "\($0) visit.recorded 1" })
        #expect(try await fixture.watermark(log) == PollerFixture.second - 10)
    }
}
