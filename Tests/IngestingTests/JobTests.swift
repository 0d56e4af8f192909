import EventModel
import Persisting
import Ports
import TestSupport
import Testing

@testable import Ingesting

/// What people ask of a source. Real: the log on a file. Scripted: the vendor.
@Suite(.timeLimit(.minutes(1)))
struct JobTests {
    private let fixture: PollerFixture
    private let log: EventLog

    init() throws {
        fixture = try PollerFixture()
        log = try fixture.openLog()
    }

    private func window(_ from: Int64, _ to: Int64) -> Window {
        Window(from: Timestamp(seconds: from), to: Timestamp(seconds: to))
    }

    @Test func aReconciliationReportsWhatTheLogLacked() async throws {
        let poller = fixture.poller(log)
        fixture.source.put("999100|a|A", "999200|b|B")
        try await fixture.running(poller) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            let before = try await fixture.watermark(log)
            // The vendor shows a row of the past that it did not show before, and one that changed.
            fixture.source.put("999100|a|A", "999150|late|L", "999200|b|B2")
            _ = try poller.board.submit(.reconcile, window(999_000, 999_300), at: fixture.clock.now)
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            let job = try #require(poller.board.jobs.first)
            #expect(job.state == .done && job.progress == 1 && job.failure == nil)
            #expect((job.read, job.stored, job.updated, job.duplicate) == (3, 1, 1, 1))
            #expect(job.offsets.flatMap(Array.init) == [3, 4])
            #expect(try await fixture.watermark(log) == before)
        }
    }

    @Test func aPollIsDoneAtOnce() async throws {
        let poller = fixture.poller(log)
        try await fixture.running(poller) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            fixture.source.put("999980|a|A")
            _ = try poller.board.submit(.poll, nil, at: fixture.clock.now)
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            #expect(poller.board.jobs.first?.state == .done && poller.board.jobs.first?.stored == 1)
        }
    }

    @Test func aJobThatKeepsFailingIsGivenUpWithItsReason() async throws {
        let poller = fixture.poller(log)
        try await fixture.running(poller) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            fixture.source.plan(.fails(.parameters, afterPages: 0))
            _ = try poller.board.submit(.backfill, window(999_000, 999_300), at: fixture.clock.now)
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            let job = try #require(poller.board.jobs.first)
            #expect(job.state == .failed && job.failure == "read: scripted")
        }
    }

    @Test func aJobIsReadInPiecesOfADayLaneByLane() {
        var pieces = JobPieces(window(0, 86_400 * 2 + 10), lanes: ["x", "y"])
        var seen: [String] = []
        while let (window, lane) = pieces.next {
            seen.append("\(lane) \(window.from.seconds)-\(window.to.seconds)")
            pieces.finishedPiece()
        }
        #expect(
            seen == [
                "x 0-86400", "y 0-86400", "x 86400-172800", "y 86400-172800", "x 172800-172810",
                "y 172800-172810",
            ])
        #expect(pieces.progress == 1)
    }

    @Test func aBoardTakesSoManyAndNoMore() throws {
        let board = JobBoard()
        for _ in 0..<JobBoard.queued { _ = try board.submit(.poll, nil, at: fixture.clock.now) }
        #expect(throws: JobRefusal.full) { _ = try board.submit(.poll, nil, at: fixture.clock.now) }
        #expect(board.take(at: fixture.clock.now)?.id == 1)
        _ = try board.submit(.poll, nil, at: fixture.clock.now)
        // What a stopped poller had begun is the next one's first.
        board.putBack()
        #expect(board.take(at: fixture.clock.now)?.id == 1)
    }
}
