import EventModel
import Foundation
import Ports
import TestSupport
import Testing

@testable import Persisting

/// Pins promises L1 to L3 and what becomes of each row. The store is a real SQLite file.
@Suite struct AppendTests {
    @Test func appendedEventsHaveDenseOffsetsAndTheirSlotsFilled() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let result = try await log.append(LogFixture.rows(0..<5), from: fixture.source, position: nil)
        #expect(result.stored == 5 && result.read == 5)
        let events = try await log.events(after: 0, limit: 100)
        #expect(events.map(\.offset) == [1, 2, 3, 4, 5])
        for event in events {
            let decoded = try DecodedEvent(event)
            #expect(decoded.id == event.id.text)
            #expect(decoded.sequence == String(repeating: "0", count: 19) + "\(event.offset)")
            #expect(decoded.recordedtime == "2026-11-01T00:00:00.000Z")
            #expect(decoded.type == "visit.recorded" && decoded.revision == 1)
            #expect(decoded.subject == event.key && decoded.partitionkey == event.key)
        }
    }

    @Test func aRowSeenAgainIsADuplicate() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<5), from: fixture.source, position: nil)
        let again = try await log.append(LogFixture.rows(3..<8), from: fixture.source, position: nil)
        #expect(again.duplicate == 2 && again.stored == 3)
        #expect(log.head == 8)
    }

    @Test func aRowTwiceOnOnePageIsStoredOnce() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let rows = [LogFixture.row("a"), LogFixture.row("a")]
        let result = try await log.append(rows, from: fixture.source, position: nil)
        #expect(result.stored == 1 && result.duplicate == 1 && log.head == 1)
    }

    @Test func aChangedRowIsTheNextRevisionWithItsOwnTime() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append([LogFixture.row("a", content: "1")], from: fixture.source, position: nil)
        _ = try await log.append([LogFixture.row("a", content: "2")], from: fixture.source, position: nil)
        let third = try await log.append(
            [LogFixture.row("a", content: "1")], from: fixture.source, position: nil)
        #expect(third.updated == 1)
        let events = try await log.events(after: 0, limit: 10).map(DecodedEvent.init)
        #expect(events.map(\.revision) == [1, 2, 3])
        #expect(events.map(\.type) == ["visit.recorded", "visit.updated", "visit.updated"])
        #expect(Set(events.map(\.id)).count == 3 && Set(events.map(\.time)).count == 1)
        #expect(events[1].dataschema == "urn:millrace:visit.updated:1")
    }

    @Test func aRevisionNeedsBothFingerprintsToDiffer() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        func append(_ content: String, _ raw: String) async throws -> AppendResult {
            let row = LogFixture.row("a", content: content, raw: raw)
            return try await log.append([row], from: fixture.source, position: nil)
        }
        #expect(try await append("kept", "raw 1").stored == 1)
        // An unpublished field changed.
        #expect(try await append("kept", "raw 2").duplicate == 1)
        // A privacy setting changed, and the vendor's row is as it was last seen.
        #expect(try await append("masked", "raw 2").duplicate == 1)
        // An unpublished field changed under the new setting.
        #expect(try await append("masked", "raw 3").duplicate == 1)
        #expect(try await append("masked other", "raw 4").updated == 1)
    }

    @Test func olderVersionOfARowIsADuplicate() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        func append(_ content: String, version: Int) async throws -> AppendResult {
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .relations, identity: "1", time: LogFixture.time,
                subject: "customer/1", data: Array(#"{"c":"\#(content)"}"#.utf8),
                version: LogFixture.time + .seconds(version))
            return try await log.append(
                [.event(draft, raw: Array("raw \(content)".utf8))], from: fixture.source, position: nil)
        }
        #expect(try await append("first", version: 0).stored == 1)
        #expect(try await append("third", version: 20).updated == 1)
        #expect(try await append("second", version: 10).duplicate == 1)
        #expect(try await append("same second", version: 20).updated == 1)
        #expect(log.head == 3)
    }

    @Test func positionIsStoredWithItsPage() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        #expect(try await log.position(of: fixture.source) == nil)
        let position = LogFixture.position("{}", watermark: LogFixture.time)
        _ = try await log.append(LogFixture.rows(0..<2), from: fixture.source, position: position)
        #expect(try await log.position(of: fixture.source) == position)
        // A page without a position leaves it.
        _ = try await log.append(LogFixture.rows(2..<3), from: fixture.source, position: nil)
        #expect(try await log.position(of: fixture.source) == position)
    }

    @Test func rejectedRowsGoToQuarantineOnceAndLeaveTheirPageAlone() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let bad = LogRow.rejected(raw: [0x7B, 0xFF], reason: "the row is not valid JSON")
        let first = try await log.append(
            [LogFixture.row("a"), bad, LogFixture.row("b")], from: fixture.source, position: nil)
        #expect(first.rejected == 1 && first.stored == 2)
        let again = try await log.append([bad], from: fixture.source, position: nil)
        #expect(again.rejected == 0 && again.duplicate == 1)
        #expect(try await log.summary().quarantined == 1)
    }

    @Test func theSourceAccountBalances() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<10), from: fixture.source, position: nil)
        _ = try await log.append(LogFixture.rows(5..<12), from: fixture.source, position: nil)
        _ = try await log.append([.rejected(raw: [1], reason: "x")], from: fixture.source, position: nil)
        let totals = try #require(try await log.sources().first).totals
        #expect(totals.stored == 12 && totals.duplicate == 5 && totals.rejected == 1 && totals.read == 18)
    }

    @Test func recordedTimeNeverDecreasesWhenTheClockGoesBack() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append([LogFixture.row("a")], from: fixture.source, position: nil)
        fixture.clock.jump(by: .seconds(-3600))
        _ = try await log.append([LogFixture.row("b")], from: fixture.source, position: nil)
        let times = try await log.events(after: 0, limit: 10).map(\.recorded)
        #expect(times == times.sorted())
        fixture.clock.jump(by: .seconds(7200))
        _ = try await log.append([LogFixture.row("c")], from: fixture.source, position: nil)
        #expect(try await log.events(after: 2, limit: 1).first?.recorded == fixture.clock.now)
    }

    @Test func pagesThatWaitTogetherAreAllStoredWithDenseOffsets() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for page in 0..<40 {
                group.addTask {
                    _ = try await log.append(
                        LogFixture.rows(page * 10..<page * 10 + 10), from: fixture.source, position: nil)
                }
            }
            try await group.waitForAll()
        }
        let events = try await log.events(after: 0, limit: 1000)
        #expect(events.map(\.offset) == Array(1...400).map(Int64.init))
        #expect(Set(events.map(\.id)).count == 400)
    }

    @Test func tailAndStoreGiveTheSameBytes() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<50), from: fixture.source, position: nil)
        let tail = try await log.events(after: 10, limit: 20)
        let stored = try await LogReader(path: fixture.path).events(after: 10, limit: 20)
        #expect(tail == stored && tail.count == 20)
    }

    @Test func waitingForAnEventEndsWithTheAppend() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        async let waited: Void = log.waitForEvent(after: 0)
        _ = try await log.append([LogFixture.row("a")], from: fixture.source, position: nil)
        await waited
        let task = Task { await log.waitForEvent(after: 99) }
        task.cancel()
        await task.value
    }
}
