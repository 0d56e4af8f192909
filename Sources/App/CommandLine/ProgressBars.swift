import Foundation
import Services
import Synchronization

/// Bars on a terminal's last lines, below the log lines that go on above them.
///
///     visits      ████████████░░░░░░░░░░░░░░░░░░   41 %  2025-03-02T00:00:00Z
///
/// Everything that writes to stderr meanwhile goes through `write`, so that a line never lands inside a bar.
final class ProgressBars: ProgressDisplay {
    private struct State {
        var bars: [(name: String, fraction: Double, detail: String)] = []
        var drawn = 0
    }

    private static let width = 30
    private let state = Mutex(State())
    private let output: @Sendable (String) -> Void

    /// - Parameter output: where lines and bars go; a terminal.
    init(output: @escaping @Sendable (String) -> Void = Logger.standardError) {
        self.output = output
    }

    func show(_ name: String, fraction: Double, detail: String) {
        redraw { state in
            if let place = state.bars.firstIndex(where: { $0.name == name }) {
                state.bars[place] = (name, fraction, detail)
            } else {
                state.bars.append((name, fraction, detail))
            }
            return ""
        }
    }

    func end(_ name: String) {
        redraw { state in
            state.bars.removeAll { $0.name == name }
            return ""
        }
    }

    /// Writes a finished line above the bars.
    func write(_ line: String) {
        redraw { _ in line }
    }

    private func redraw(_ change: (inout State) -> String) {
        state.withLock { state in
            let cleared = state.drawn > 0 ? "\u{1B}[\(state.drawn)A\u{1B}[J" : ""
            let line = change(&state)
            state.drawn = state.bars.count
            output(cleared + line + state.bars.map { Self.text($0) + "\n" }.joined())
        }
    }

    private static func text(_ bar: (name: String, fraction: Double, detail: String)) -> String {
        let full = Int((bar.fraction * Double(width)).rounded(.down))
        let blocks = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        let percent = String(Int(bar.fraction * 100))
        let padding = String(repeating: " ", count: max(0, 3 - percent.count))
        let name = bar.name.padding(toLength: max(12, bar.name.count), withPad: " ", startingAt: 0)
        return "\(name) \(blocks) \(padding)\(percent) %  \(bar.detail)"
    }
}

extension Logger {
    /// A logger for a command with bars: on a terminal its lines are written above them.
    static func above(_ bars: ProgressBars?, level: LogLevel, format: LogFormat) -> Logger {
        guard let bars else { return Logger(level: level, format: format) }
        return Logger(level: level, format: format, write: { bars.write($0) })
    }
}
