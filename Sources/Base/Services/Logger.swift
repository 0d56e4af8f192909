import Foundation
import Synchronization

/// How much is logged; `debug` is for looking at one relay, `info` for every day.
package enum LogLevel: String, Sendable, CaseIterable, Comparable, Codable {
    case debug, info, warning, error

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}

/// How a line looks: one JSON object, or text for a person's eye.
package enum LogFormat: String, Sendable, CaseIterable, Codable {
    case json, text
}

/// Writes one line per happening: a constant message and keyed values, so that lines can be counted and searched.
///
/// A copy of a logger is cheap and writes to the same place. Values never hold payloads, secrets or tokens.
package struct Logger: Sendable {
    private let output: Output

    /// - Parameters:
    ///   - now: the time of a line, in milliseconds since 1970.
    ///   - write: takes one finished line with its newline; called under a lock, so lines never mix.
    package init(
        level: LogLevel, format: LogFormat,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) },
        write: @escaping @Sendable (String) -> Void = Logger.standardError
    ) {
        output = Output(level: level, format: format, now: now, write: write)
    }

    /// A logger that drops everything, for tests that look elsewhere.
    package static let silent = Logger(level: .error, format: .text, write: { _ in })

    /// What is written from here on, by this logger and its copies.
    package func change(level: LogLevel, format: LogFormat) {
        output.change(level, format)
    }

    package func debug(_ message: StaticString, _ fields: KeyValuePairs<LogKey, LogValue> = [:]) {
        output.log(.debug, message, fields)
    }

    package func info(_ message: StaticString, _ fields: KeyValuePairs<LogKey, LogValue> = [:]) {
        output.log(.info, message, fields)
    }

    package func warning(_ message: StaticString, _ fields: KeyValuePairs<LogKey, LogValue> = [:]) {
        output.log(.warning, message, fields)
    }

    package func error(_ message: StaticString, _ fields: KeyValuePairs<LogKey, LogValue> = [:]) {
        output.log(.error, message, fields)
    }

    /// Writes to descriptor 2; what cannot be written is dropped, since there is nowhere left to say so.
    package static let standardError: @Sendable (String) -> Void = { line in
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }

    private final class Output: Sendable {
        private let style: Mutex<(level: LogLevel, format: LogFormat)>
        private let now: @Sendable () -> Int64
        private let write: @Sendable (String) -> Void
        private let gate = Mutex(())

        init(
            level: LogLevel, format: LogFormat, now: @escaping @Sendable () -> Int64,
            write: @escaping @Sendable (String) -> Void
        ) {
            (self.now, self.write) = (now, write)
            style = Mutex((level, format))
        }

        func change(_ level: LogLevel, _ format: LogFormat) {
            style.withLock { $0 = (level, format) }
        }

        func log(_ level: LogLevel, _ message: StaticString, _ fields: KeyValuePairs<LogKey, LogValue>) {
            let style = style.withLock { $0 }
            guard level >= style.level else { return }
            let line = LogLine(
                time: now(), level: level, message: "\(message)", fields: fields.map { ($0.key, $0.value) })
            let text = style.format == .json ? line.json : line.text
            gate.withLock { _ in write(text + "\n") }
        }
    }
}
