import Foundation
import Services
import Synchronization

/// Data on stdout, line by line, from any task.
enum Output {
    private static let gate = Mutex(())
    private static let failure = Mutex<Int32>(0)

    /// The exit code of a command that could not write: a reader that left is no error, a full disk is.
    static var exitCode: Int32 {
        let failure = failure.withLock { $0 }
        return failure == 0 || failure == EPIPE ? 0 : 1
    }

    /// - Returns: false when nobody reads any more.
    @discardableResult
    static func line(_ text: String) -> Bool {
        bytes(Array(text.utf8) + [UInt8(ascii: "\n")])
    }

    /// Whether somebody still reads stdout; a closed pipe is noticed without writing to it.
    static var hasReader: Bool {
        var descriptor = pollfd(fd: 1, events: 0, revents: 0)
        return poll(&descriptor, 1, 0) <= 0 || descriptor.revents & Int16(POLLERR | POLLHUP | POLLNVAL) == 0
    }

    @discardableResult
    static func bytes(_ bytes: [UInt8]) -> Bool {
        gate.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
                if count < 0 {
                    if errno == EINTR { continue }
                    let code = errno
                    let isFirst = failure.withLock { failure in
                        defer { failure = code }
                        return failure == 0
                    }
                    if isFirst, code != EPIPE {
                        Terminal.say("millrace: stdout: \(String(cString: strerror(code)))")
                    }
                    return false
                }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}

/// Words for a person, on stderr.
enum Terminal {
    static func say(_ text: String) {
        Logger.standardError(text + "\n")
    }

    static var outputIsTerminal: Bool { isatty(1) == 1 }
    static var errorIsTerminal: Bool { isatty(2) == 1 }
}

/// Columns that line up, for tables on stdout.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) {
        rows = [header]
    }

    mutating func add(_ row: [String]) {
        rows.append(row)
    }

    var text: String {
        let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            return "  " + cells.joined(separator: "  ").trimmingTrailingSpace
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingTrailingSpace: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
