import Services
import Synchronization
import Testing

@testable import App

/// What a terminal gets: bars at the end, lines above them.
struct ProgressBarsTests {
    private final class Screen: Sendable {
        private let state = Mutex("")
        var text: String { state.withLock { $0 } }
        func write(_ text: String) { state.withLock { $0 += text } }
    }

    @Test func aLineIsWrittenAboveTheBars() {
        let screen = Screen()
        let bars = ProgressBars(output: { screen.write($0) })
        bars.show("visits", fraction: 0.5, detail: "2025-01-01T00:00:00Z")
        let bar =
            "visits       " + String(repeating: "█", count: 15) + String(repeating: "░", count: 15)
            + "  50 %  2025-01-01T00:00:00Z\n"
        #expect(screen.text == bar)
        bars.write("a line\n")
        #expect(screen.text == bar + "\u{1B}[1A\u{1B}[Ja line\n" + bar)
        bars.end("visits")
        bars.write("another\n")
        #expect(screen.text.hasSuffix("\u{1B}[1A\u{1B}[J" + "another\n"))
    }
}
