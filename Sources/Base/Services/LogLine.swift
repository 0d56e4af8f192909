import Foundation

/// Every key a log line may carry: one word per thing, the same in all rooms.
package enum LogKey: String, Sendable, CaseIterable {
    case account, at, attempt, brokers, cause, code, count, customers, deadline, delay, deleted, delivered,
        doing,
        duplicates, duration
    case event, field, from, head, log, name, percent, pid, reason, rejected, rows, services, sink, source,
        store
    case state, stored, to, topic, updated, version
}

/// A value in a log line; numbers stay numbers in JSON.
package enum LogValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringInterpolation
{
    case text(String)
    case number(Int64)
    /// Written in seconds.
    case duration(Duration)

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .number(value) }
    package static func count(_ value: some BinaryInteger) -> LogValue { .number(Int64(value)) }
}

/// One line before it is written, in both forms.
struct LogLine {
    let time: Int64
    let level: LogLevel
    let message: String
    let fields: [(LogKey, LogValue)]

    var json: String {
        var parts = [
            #""time":"\#(timeText)""#, #""level":"\#(level.rawValue)""#,
            #""message":\#(Self.quoted(message))"#,
        ]
        for (key, value) in fields { parts.append("\"\(key.rawValue)\":\(Self.json(value))") }
        return "{" + parts.joined(separator: ",") + "}"
    }

    var text: String {
        let pairs = fields.map { " \($0.0.rawValue)=\(Self.text($0.1))" }.joined()
        return
            "\(timeText) \(level.rawValue.uppercased().padding(toLength: 7, withPad: " ", startingAt: 0)) \(message)\(pairs)"
    }

    private var timeText: String {
        let date = Date(timeIntervalSince1970: Double(time / 1000))
        let seconds = date.formatted(.iso8601)
        let fraction = String(time % 1000 + 1000).dropFirst()
        return seconds.dropLast() + "." + fraction + "Z"
    }

    private static func json(_ value: LogValue) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): String(number)
        case .duration(let duration): seconds(duration)
        }
    }

    private static func text(_ value: LogValue) -> String {
        switch value {
        case .text(let text):
            text.unicodeScalars.contains(where: needsQuotes) ? quoted(text) : text
        case .number(let number): String(number)
        case .duration(let duration): seconds(duration) + "s"
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds =
            duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? String(milliseconds / 1000) : String(Double(milliseconds) / 1000)
    }

    /// A JSON string; control characters are escaped, so that no value can forge a second line.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar):
                result += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// What would end a field of a text line. By scalars: a combining mark does not make a space another character.
    private static func needsQuotes(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\"" || scalar.properties.isWhitespace || isControl(scalar)
    }

    /// What ends a line for some reader, or speaks to a terminal: both blocks of controls and the two separators.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }
}
