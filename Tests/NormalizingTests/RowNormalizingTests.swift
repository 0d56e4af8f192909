import EventModel
import Foundation
import Persisting
import Ports
import RowDecoding
import TanmaSource
import TestSupport
import Testing
import WeibanSource

@testable import Normalizing

/// From the vendor's own sample page to the published events.
struct RowNormalizingTests {
    private static func fixture(_ name: String) throws -> Data {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: folder.appendingPathComponent("Fixtures/\(name)"))
    }

    private static func samplePage() throws -> [UInt8] {
        Array(try fixture("tanma-visits.response.json"))
    }

    private static func sampleRows() throws -> [[UInt8]] {
        try #require(RowSlicer.slice(try samplePage(), path: ["data", "list"])).rows
    }

    private let normalizing = RowNormalizing(
        relay: "acme", account: "acme-tanma", normalizer: TanmaVisitNormalizer())

    private func ids(_ rows: [LogRow]) -> [String?] {
        rows.map { row in
            guard case .event(let draft, _) = row else { return nil }
            return draft.id(revision: 1).text
        }
    }

    private func isRejected(_ row: [UInt8]) -> Bool {
        guard case .rejected(let raw, let reason) = normalizing.normalize([row]).first else { return false }
        return raw == row && !reason.isEmpty
    }

    private static func path(_ kind: SourceKind) -> [String] {
        switch kind {
        case .visits, .relations: ["data", "list"]
        case .followRecords: ["data"]
        case .customerFiles: ["data", "result"]
        case .outflow: ["external_user_list"]
        }
    }

    @Test(
        arguments: [
            ("tanma-visits", "acme-tanma", TanmaVisitNormalizer(privacy: .keepEverything), 5),
            ("tanma-relations", "acme-tanma", TanmaRelationNormalizer(privacy: .keepEverything), 2),
            ("tanma-follow-records", "acme-tanma", TanmaFollowRecordNormalizer(privacy: .keepEverything), 22),
            ("tanma-customer-files", "acme-tanma", TanmaCustomerFileNormalizer(privacy: .keepEverything), 2),
            ("weiban-outflow", "acme-weiban", WeibanOutflowNormalizer(privacy: .keepEverything), 1),
        ] as [(String, String, any Normalizer, Int)])
    func theSamplePageGivesTheGoldenEvents(
        name: String, account: String, normalizer: any Normalizer, count: Int
    ) throws {
        let golden = try JSONSerialization.jsonObject(with: Self.fixture("\(name).events.json"))
        let page = Array(try Self.fixture("\(name).response.json"))
        let rows = try #require(RowSlicer.slice(page, path: Self.path(normalizer.kind))).rows
        let normalizing = RowNormalizing(relay: "acme", account: account, normalizer: normalizer)
        let events = try normalizing.normalize(rows).map { row in
            guard case .event(let draft, _) = row else { throw RowError("rejected") }
            let bytes = Data(draft.encoded(id: draft.id(revision: 1), revision: 1))
            let event = try #require(
                try JSONSerialization.jsonObject(with: bytes, options: .mutableContainers)
                    as? NSMutableDictionary)
            event.removeObjects(forKeys: ["sequence", "recordedtime"])
            return event
        }
        #expect(events.count == count)
        #expect(events as NSArray == golden as? NSArray)
    }

    @Test func theSameRowsGiveTheSameIds() throws {
        let rows = try Self.sampleRows()
        let ids = ids(normalizing.normalize(rows))
        #expect(Set(ids).count == 5 && !ids.contains(nil))
        #expect(self.ids(normalizing.normalize(rows)) == ids)
        #expect(self.ids(normalizing.normalize(rows.reversed())) == ids.reversed())
    }

    @Test func anotherAccountGivesOtherIds() throws {
        let rows = try Self.sampleRows()
        let other = RowNormalizing(relay: "acme", account: "other", normalizer: TanmaVisitNormalizer())
        #expect(Set(ids(other.normalize(rows))).isDisjoint(with: Set(ids(normalizing.normalize(rows)))))
        let relay = RowNormalizing(relay: "r2", account: "acme-tanma", normalizer: TanmaVisitNormalizer())
        #expect(ids(relay.normalize(rows)) == ids(normalizing.normalize(rows)))
    }

    @Test func aBadRowLeavesThePagesOthers() throws {
        var rows = try Self.sampleRows()
        rows.insert(Array(#"{"visitTime":"16637238093"}"#.utf8), at: 2)
        let results = normalizing.normalize(rows)
        #expect(ids(results).map { $0 == nil } == [false, false, true, false, false, false])
        guard case .rejected(let raw, let reason) = results[2] else { return #expect(Bool(false)) }
        #expect(raw == rows[2])
        #expect(!reason.contains("16637238093"))
    }

    @Test func everyCutRowIsRejected() throws {
        for row in try Self.sampleRows() {
            #expect((0..<row.count).allSatisfy { isRejected(Array(row.prefix($0))) })
        }
    }

    @Test(arguments: UInt64(1)...20)
    func everyShuffledRowIsRejected(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for row in try Self.sampleRows() {
            #expect(isRejected(row.shuffled(using: &random)), "seed \(seed)")
        }
    }

    @Test func everyCutPageIsNoPage() throws {
        let page = try Self.samplePage()
        let end = try #require(page.lastIndex(of: UInt8(ascii: "}")))
        #expect(
            (0..<end).allSatisfy { RowSlicer.slice(Array(page.prefix($0)), path: ["data", "list"]) == nil })
    }

    @Test func anEmptyPageIsEmpty() {
        #expect(normalizing.normalize([]).isEmpty)
    }
}
