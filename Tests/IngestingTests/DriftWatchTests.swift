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
}
