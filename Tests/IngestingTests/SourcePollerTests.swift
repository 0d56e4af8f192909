import EventModel
import Persisting
import Ports
import SQLite
import TestSupport
import Testing

@testable import Ingesting

/// Real: the log on a file. Scripted: the vendor. A poller that asks to sleep has done what it could.
@Suite(.timeLimit(.minutes(1)))
struct SourcePollerTests {
    private static let second = PollerFixture.second
    private let fixture: PollerFixture
    private let log: EventLog

    init() throws {
        fixture = try PollerFixture()
        log = try fixture.openLog()
    }

    @Test func aWindowGoesIntoTheLogAndItsEndIsStored() async throws {
        fixture.source.put("999100|a|A", "999200|b|B", "999989|c|C", "999990|d|D")
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            #expect(try await fixture.events(log) == ["A", "B", "C"].map { "\($0) visit.recorded 1" })
            #expect(try await fixture.watermark(log) == Self.second - 10)
            fixture.clock.advance(by: .seconds(30))
            _ = await fixture.clock.nextSleep()
            #expect(try await fixture.events(log).count == 4)
        }
        let windows = fixture.source.windows.map { [$0.from.seconds, $0.to.seconds] }
        #expect(windows == [[999_000, 999_990], [999_390, 1_000_020]])
        #expect(try await log.sources().first?.totals.duplicate == 1)
    }

    @Test func aFailedWindowIsReadAgainAndNothingIsTwiceInTheLog() async throws {
        fixture.source.put("999100|a|A", "999200|b|B", "999300|c|C")
        fixture.source.plan(.fails(.transport, afterPages: 1), .fails(.code(7), afterPages: 2))
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(1))
            #expect(try await fixture.events(log).count == 2)
            #expect(try await fixture.watermark(log) == 999_000)
            fixture.clock.advance(by: .seconds(1))
            #expect(await fixture.clock.nextSleep() == .seconds(2))
            #expect(try await fixture.events(log).count == 3)
            #expect(try await fixture.watermark(log) == 999_000)
            fixture.clock.advance(by: .seconds(2))
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            #expect(try await fixture.watermark(log) == Self.second - 7)
        }
        #expect(try await fixture.events(log) == ["A", "B", "C"].map { "\($0) visit.recorded 1" })
        #expect(fixture.lines.count("reading failed, will be tried again") == 2)
        #expect(fixture.lines.count("source works again") == 1)
    }

    @Test func aSourceThatKeepsFailingIsReportedOnce() async throws {
        let failures = (0..<7).map { _ in ScriptedSource.Behaviour.fails(.transport, afterPages: 0) }
        fixture.source.script(failures)
        try await fixture.running(fixture.poller(log)) { () async throws in
            for wait in [1, 2, 4, 8, 16, 32, 60] {
                #expect(await fixture.clock.nextSleep() == .seconds(wait))
                fixture.clock.advance(by: .seconds(wait))
            }
            #expect(await fixture.clock.nextSleep() == .seconds(30))
        }
        #expect(fixture.lines.count("ERROR") == 1)
        #expect(fixture.lines.count("source keeps failing") == 1)
    }

    @Test func aRestartGoesOnFromTheStoredWatermark() async throws {
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        fixture.clock.advance(by: .seconds(3600))
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
        }
        #expect(fixture.source.windows.last?.from.seconds == Self.second - 10 - 600)
        #expect(fixture.source.windows.last?.to.seconds == Self.second + 3590)
        #expect(fixture.lines.count("a changed start is ignored") == 0)
    }

    @Test func aChangedStartIsIgnoredWithAWarning() async throws {
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        try await fixture.running(fixture.poller(log, start: 5)) { _ = await fixture.clock.nextSleep() }
        #expect(fixture.lines.count("a changed start is ignored") == 1)
        #expect(fixture.source.windows.allSatisfy { $0.from.seconds >= 999_000 })
    }

    @Test func aStartOfNowIsResolvedOnce() async throws {
        fixture.source.put("999999|a|before", "1000001|b|after")
        try await fixture.running(fixture.poller(log, start: nil)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(30))
            #expect(fixture.source.windows.isEmpty)
        }
        fixture.clock.advance(by: .seconds(30))
        try await fixture.running(fixture.poller(log, start: nil)) { _ = await fixture.clock.nextSleep() }
        #expect(try await fixture.events(log) == ["after visit.recorded 1"])
    }

    @Test func aStoreThatFailsPausesPolling() async throws {
        fixture.source.put("999100|a|A", "999200|b|B", "999300|c|C")
        let other = try Connection(path: fixture.path, access: .readWrite, busyTimeout: .seconds(5))
        try other.execute(
            script: "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END")
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(1))
            #expect(try await fixture.events(log).isEmpty)
            #expect(try await fixture.watermark(log) == 999_000)
            try other.execute(script: "DROP TRIGGER full")
            fixture.clock.advance(by: .seconds(1))
            #expect(await fixture.clock.nextSleep() == .seconds(30))
        }
        #expect(try await fixture.events(log).count == 3)
        #expect(fixture.source.windows.count == 2)
    }

    @Test func aRowThatChangesIsTheNextRevision() async throws {
        fixture.source.put("999500|a|A")
        try await fixture.running(fixture.poller(log)) { () async throws in
            _ = await fixture.clock.nextSleep()
            fixture.source.put("999500|a|B")
            fixture.clock.advance(by: .seconds(30))
            _ = await fixture.clock.nextSleep()
        }
        #expect(try await fixture.events(log) == ["A visit.recorded 1", "B visit.updated 2"])
    }

    @Test func rejectedRowsAreCountedAndTheRestIsStored() async throws {
        fixture.source.put("999100|a|A", "broken", "999300|c|C")
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        let totals = try #require(try await log.sources().first?.totals)
        #expect(totals.stored == 2 && totals.rejected == 1 && totals.read == 3)
        #expect(fixture.lines.count("rows went to quarantine") == 1)
        #expect(fixture.lines.count("broken") == 0)
    }

    @Test func theWatermarkStaysBehindTheVendorsClock() async throws {
        fixture.source.setVendorAhead(.seconds(-300))
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        #expect(try await fixture.watermark(log) == Self.second - 310)
    }

    @Test func aWrongRequestRestsTheSource() async throws {
        fixture.source.plan(.fails(.parameters, afterPages: 0))
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == Setbacks.rest)
        }
        #expect(fixture.lines.count("source stopped") == 1)
    }

    @Test func aStopEndsAWaitAtOnce() async throws {
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        #expect(fixture.clock.elapsed == .zero)
    }

    @Test func aStopEndsAWindowThatHangsAndLosesNothing() async throws {
        fixture.source.put("999500|a|A")
        fixture.source.plan(.hangs)
        try await fixture.running(fixture.poller(log)) { () async throws in
            #expect(await fixture.clock.nextSleep() == .seconds(86_400))
        }
        #expect(fixture.clock.elapsed == .zero)
        #expect(try await fixture.watermark(log) == 999_000)
        try await fixture.running(fixture.poller(log)) { _ = await fixture.clock.nextSleep() }
        #expect(try await fixture.events(log) == ["A visit.recorded 1"])
    }

    @Test func aPollerThatWasStoppedBeforeItRanReadsNothing() async throws {
        let poller = fixture.poller(log)
        await poller.stop()
        try await poller.run()
        #expect(fixture.source.windows.isEmpty)
    }

    @Test func onePollReadsWhatIsDueAndStoresItsPosition() async throws {
        fixture.source.put("999500|a|A", "broken")
        let result = try await fixture.poller(log).pollOnce()
        #expect(result.stored == 1 && result.rejected == 1)
        #expect(try await fixture.watermark(log) == Self.second - 10)
    }

    @Test func aDryPollShowsWhatItWouldStoreAndStoresNothing() async throws {
        fixture.source.put("999100|a|A", "broken", "999300|c|C")
        let poll = DryPoll(
            fixture.source, normalizing: fixture.normalizing, schedule: PollerFixture.schedule(),
            position: nil,
            timekeeper: fixture.clock)
        var (events, rejected) = (0, 0)
        try await poll.run { rows in
            for row in rows {
                if case .event = row { events += 1 } else { rejected += 1 }
            }
        }
        #expect(events == 2 && rejected == 1)
        #expect(log.head == 0)
        #expect(try await log.sources().isEmpty)
    }
}
