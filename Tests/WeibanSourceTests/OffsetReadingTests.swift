import Testing

@testable import WeibanSource

/// Pins when a window read by offsets was read whole.
@Suite struct OffsetReadingTests {
    private static func last(_ pages: [([String], Int64)]) -> OffsetReading.Step? {
        var reading = OffsetReading()
        return pages.map { reading.received($0.0, total: $0.1) }.last
    }

    @Test func everyRowOnceIsWhole() {
        #expect(Self.last([(["a", "b"], 3)]) == .next(offset: 2))
        #expect(Self.last([(["a", "b"], 3), (["c"], 3)]) == .whole)
        #expect(Self.last([([], 0)]) == .whole)
    }

    @Test func aVendorThatIgnoresTheOffsetIsNoEndlessReading() {
        let page = (["a", "b"], Int64(1_000_000_000))
        #expect(Self.last([page]) == .next(offset: 2))
        guard case .again = Self.last([page, page]) else {
            Issue.record("read again, not on")
            return
        }
    }

    @Test func aShorterPageThanAskedForGoesOnWhereItEnded() {
        #expect(Self.last([(["a"], 3), (["b"], 3)]) == .next(offset: 2))
    }

    @Test(
        arguments: [
            [(["a", "b"], 3), (["b"], 3)], [(["a", "b"], 3), ([], 3)], [(["a", "b"], 3), (["c"], 4)],
            [(["a", "b", "c"], 2)],
        ] as [[([String], Int64)]])
    func aListThatMovedIsReadAgain(pages: [([String], Int64)]) {
        guard case .again = Self.last(pages) else {
            Issue.record("read again")
            return
        }
    }
}
