import Foundation
import Testing

@testable import EventModel

@Suite struct EventDraftTests {
    private static let keys: Set<String> = [
        "id", "sequence", "recordedtime", "specversion", "source", "type", "subject", "time",
        "datacontenttype",
        "dataschema", "partitionkey", "revision", "data",
    ]

    private static func draft(_ subject: String = "unionid/x") throws -> EventDraft {
        EventDraft(
            relay: "acme", account: "acme-tanma", kind: .visits, identity: "a\nb",
            time: Timestamp(seconds: 951_825_600),
            subject: subject, data: Array(#"{"a":null,"b":[1]}"#.utf8))
    }

    private static func id() throws -> EventID {
        try #require(EventID(text: "evt_01fcd2enrr8d26daqy2xhebs7c"))
    }

    private static func object(_ event: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(event)) as? [String: Any])
    }

    @Test func anEncodedEventHasExactlyTheKeysOfTheContract() throws {
        let event = try Self.object(try Self.draft().encoded(id: Self.id(), revision: 1))
        #expect(Set(event.keys) == Self.keys)
        #expect(event["id"] as? String == "evt_01fcd2enrr8d26daqy2xhebs7c")
        #expect(event["specversion"] as? String == "1.0")
        #expect(event["source"] as? String == "/acme/acme-tanma/tanma.visits")
        #expect(event["type"] as? String == "visit.recorded")
        #expect(event["subject"] as? String == "unionid/x")
        #expect(event["partitionkey"] as? String == "unionid/x")
        #expect(event["time"] as? String == "2000-02-29T12:00:00Z")
        #expect(event["datacontenttype"] as? String == "application/json")
        #expect(event["dataschema"] as? String == "urn:millrace:visit.recorded:1")
        #expect(event["revision"] as? Int == 1)
        #expect((event["data"] as? [String: Any])?["a"] is NSNull)
    }

    @Test(arguments: SourceKind.allCases)
    func theTypeFollowsTheRevision(kind: SourceKind) throws {
        let draft = EventDraft(
            relay: "r", account: "a", kind: kind, identity: "i", time: Timestamp(seconds: 0), subject: "s",
            data: Array("{}".utf8))
        for (revision, type) in [
            (Int64(1), kind.createdType), (2, kind.updatedType), (.max, kind.updatedType),
        ] {
            let event = try Self.object(draft.encoded(id: try Self.id(), revision: revision))
            #expect(event["type"] as? String == type)
            #expect(event["dataschema"] as? String == "urn:millrace:\(type):1")
            #expect(event["revision"] as? Int64 == revision)
            #expect(kind.eventTypes.contains(type))
        }
    }

    @Test func slotsAreWhereTheyAreSaidToBe() throws {
        let event = try Self.draft().encoded(id: Self.id(), revision: 1)
        #expect(String(decoding: event[7..<37], as: UTF8.self) == "evt_01fcd2enrr8d26daqy2xhebs7c")
        #expect(String(decoding: event[51..<71], as: UTF8.self) == EventSlots.emptySequence)
        #expect(String(decoding: event[89..<113], as: UTF8.self) == EventSlots.emptyRecordedTime)
    }

    @Test(arguments: [Int64(1), 42, 10_000_000_000, .max])
    func filledSlotsAreReadBackAndNothingElseChanges(offset: Int64) throws {
        let empty = try Self.draft("customer/\"🐶\\\n").encoded(id: Self.id(), revision: 3)
        let time = Timestamp(milliseconds: 1_777_000_000_007)
        var event = empty
        EventSlots.fill(&event, offset: offset, recordedTime: Array(time.rfc3339Milliseconds.utf8))
        let read = try Self.object(event)
        let sequence = try #require(read["sequence"] as? String)
        #expect(sequence.utf8.count == 20)
        #expect(Int64(sequence) == offset)
        #expect((read["recordedtime"] as? String).flatMap { Timestamp(rfc3339: $0) } == time)
        #expect(read["subject"] as? String == "customer/\"🐶\\\n")
        #expect(event.count == empty.count)
        #expect(
            event[..<51] == empty[..<51] && event[71..<89] == empty[71..<89] && event[113...] == empty[113...]
        )
    }

    @Test func anEmptiedEventHasNullsInItsSlots() throws {
        let empty = try Self.draft().encoded(id: Self.id(), revision: 1)
        let event = try Self.object(EventSlots.emptied(empty))
        #expect(Set(event.keys) == Self.keys)
        #expect(event["sequence"] is NSNull)
        #expect(event["recordedtime"] is NSNull)
        #expect(event["specversion"] as? String == "1.0")
    }

    @Test func anIDIsHashedOverKindAccountIdentityAndRevision() throws {
        let content = try Self.draft().idContent(revision: 12)
        #expect(String(decoding: content, as: UTF8.self) == "tanma.visits\nacme-tanma\na\nb\n12")
    }
}
