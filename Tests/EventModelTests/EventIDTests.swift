import EventModel
import Foundation
import TestSupport
import Testing

@Suite struct EventIDTests {
    private struct Golden: Decodable {
        let id: String
        let time: String
    }

    @Test func goldenIDsAreReadAndPrintedTheSame() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/tanma-visits.events.json")
        let events = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
        #expect(events.count == 5)
        for event in events {
            let id = try #require(EventID(text: event.id))
            #expect(id.text == event.id)
            let time = try #require(Timestamp(rfc3339: event.time))
            // The first 48 bits are the row's own time, the rest is the hash.
            #expect(EventID(time: time, digest: id.bytes.suffix(10)) == id)
        }
    }

    @Test func bytesAndTextHaveOneOrderAndOneMeaning() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var ids: [EventID] = []
        for _ in 0..<500 {
            // Few different values, so that many ids share their first bytes.
            let bytes =
                (0..<16).map { _ in [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0 } as [UInt8]
            ids.append(try #require(EventID(bytes: bytes)))
        }
        let byBytes = ids.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        let byText = ids.sorted { Array($0.text.utf8).lexicographicallyPrecedes(Array($1.text.utf8)) }
        #expect(byBytes == byText, "seed \(seed)")
        for id in ids {
            #expect(id.text.utf8.count == 30)
            #expect(EventID(text: id.text) == id, "seed \(seed)")
        }
    }

    @Test func theEndsOfTheRangeAreWrittenAsCrockfordDoes() {
        #expect(EventID(bytes: [UInt8](repeating: 0, count: 16))?.text == "evt_00000000000000000000000000")
        #expect(EventID(bytes: [UInt8](repeating: 255, count: 16))?.text == "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz")
    }

    @Test(arguments: [
        "", "evt_", "01fcd2enrr8d26daqy2xhebs7c", "evt_01FCD2ENRR8D26DAQY2XHEBS7C",
        "EVT_01fcd2enrr8d26daqy2xhebs7c",
        "evt_01fcd2enrr8d26daqy2xhebs7", "evt_01fcd2enrr8d26daqy2xhebs7cc", "evt_81fcd2enrr8d26daqy2xhebs7c",
        "evt_z1fcd2enrr8d26daqy2xhebs7c", "evt_01fcd2enrr8d26daqy2xhebs7i", "evt_01fcd2enrr8d26daqy2xhebs7l",
        "evt_01fcd2enrr8d26daqy2xhebs7o", "evt_01fcd2enrr8d26daqy2xhebs7u", "evt_01fcd2enrr8d26daqy2xhebs7-",
        "evt_01fcd2enrr8d26daqy2xhebs7 ", "evt-01fcd2enrr8d26daqy2xhebs7c", "evt_01fcd2enrr8d26daqy2xhebs é",
    ])
    func whatIsNoLowercaseULIDIsRefused(text: String) {
        #expect(EventID(text: text) == nil)
    }

    @Test(arguments: [0, 15, 17])
    func onlySixteenBytesAreAnID(count: Int) {
        #expect(EventID(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func onlyTheFirstTenBytesOfTheHashCount() {
        let time = Timestamp(milliseconds: 1)
        let id = EventID(time: time, digest: Array(1...32) as [UInt8])
        #expect(id == EventID(time: time, digest: Array(1...10) as [UInt8]))
        #expect(id.bytes == [0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }
}
