import RowDecoding
import TestSupport
import Testing

@testable import Ingesting

/// Pins drift: told once, for what is new and for what is gone, and never for what comes and goes.
struct DriftWatchTests {
    private static func watch(after rows: Int, _ keys: Set<String> = ["a", "b"]) -> DriftWatch {
        var watch = DriftWatch(documented: ["a", "b", "c"])
        for _ in 0..<rows { _ = watch.saw(keys) }
        return watch
    }

    @Test func anUndocumentedFieldIsToldOnce() {
        var watch = Self.watch(after: 0)
        #expect(watch.saw(["a", "y", "x"]) == [.unknown("x"), .unknown("y")])
        #expect(watch.saw(["a", "x"]).isEmpty)
    }

    @Test func aFieldThatAlwaysWasThereIsMissedOnce() {
        var watch = Self.watch(after: DriftWatch.manyRows)
        #expect(watch.saw(["a"]) == [.missing("b")])
        #expect(watch.saw(["a"]).isEmpty)
    }

    @Test func aFieldThatComesAndGoesIsNoDrift() {
        var watch = Self.watch(after: DriftWatch.manyRows - 1)
        #expect(watch.saw(["a"]).isEmpty)
        #expect(watch.saw(["a"]).isEmpty && watch.saw(["a", "c"]).isEmpty && watch.saw(["a"]).isEmpty)
    }

    @Test func aRowThatIsNoObjectSaysNothing() {
        var watch = Self.watch(after: DriftWatch.manyRows)
        #expect(watch.saw([]).isEmpty)
    }

    /// Rows of a known shape are not looked at again; that must not be seen from outside.
    @Test func rowsAreWatchedAsTheirKeysAre() {
        let rows = [#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, #"{"a":1}"#, #"{"a":1,"y":{"z":1}}"#, "[1]", "{"]
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var byRow = DriftWatch(documented: ["a", "b", "c"])
            var byKeys = byRow
            let common = Int.random(in: 1...rows.count, using: &random)
            for _ in 0..<200 {
                let row = Array(rows[Int.random(in: 0..<common, using: &random)].utf8)
                #expect(byRow.saw(row: row) == byKeys.saw(RowKeys.of(row)), "seed \(seed)")
            }
        }
    }
}
