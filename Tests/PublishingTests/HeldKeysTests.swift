import EventModel
import Ports
import Testing

@testable import Publishing

/// Which events wait for another one of their key.
@Suite struct HeldKeysTests {
    private func event(_ offset: Int64, _ key: String) -> StoredEvent {
        StoredEvent(
            offset: offset,
            id: EventID(time: Timestamp(seconds: 1), digest: [UInt8](repeating: 1, count: 32)),
            type: "visit.recorded", account: "acme-tanma", kind: .visits, key: key,
            recorded: Timestamp(seconds: 1), body: [])
    }

    @Test func onlyWhatFollowsUnderTheKeyWaits() {
        var keys = HeldKeys()
        keys.hold(["a": 5])
        #expect(!keys.holds(event(4, "a")) && !keys.holds(event(5, "a")) && keys.holds(event(6, "a")))
        #expect(!keys.holds(event(6, "b")))
    }

    @Test func ofTwoThatFailedTheFirstCounts() {
        var keys = HeldKeys()
        keys.hold(["a": 5])
        keys.hold(["a": 7])
        #expect(keys.holds(event(7, "a")))
        keys.hold(["a": 3])
        #expect(keys.holds(event(5, "a")))
    }

    /// Also when it was cut by retention, which no delivery tells of.
    @Test func whatIsSettledHoldsNothingAnyMore() {
        var keys = HeldKeys()
        keys.hold(["a": 5, "b": 6])
        keys.release { $0 == 5 }
        #expect(!keys.holds(event(9, "a")) && keys.holds(event(9, "b")))
    }
}
