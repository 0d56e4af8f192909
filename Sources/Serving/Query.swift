import EventModel
import InboundHTTP
import Persisting
import Services

/// A request's query, read by what the route knows: anything else is refused by name.
struct Query: Sendable {
    private var values: [String: String] = [:]

    /// - Parameter known: the names the route reads; nil looks at nothing.
    init(_ query: [(name: String, value: String)], known: [String]?) throws(Problem) {
        guard let known else { return }
        for (name, value) in query {
            guard known.contains(name) else {
                let near = Nearest.name(to: name, among: known).map { ", did you mean \($0)?" } ?? ""
                let allowed = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw .invalid(name, "there is no such parameter\(near) (allowed: \(allowed))")
            }
            guard values[name] == nil else { throw .invalid(name, "is given twice") }
            values[name] = value
        }
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func text(_ name: String) -> String? { values[name] }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let value = Int64(text), String(value) == text, range.contains(value) else {
            throw .invalid(name, "is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag(_ name: String) throws(Problem) -> Bool? {
        switch values[name] {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw .invalid(name, "is neither true nor false")
        }
    }

    /// Comma-separated: `visit.*,relation.created`.
    func patterns(_ name: String) throws(Problem) -> [NamePattern]? {
        guard let text = values[name] else { return nil }
        var patterns: [NamePattern] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let pattern = NamePattern(String(part)), part.utf8.allSatisfy(NamePattern.isUsual) else {
                throw .invalid(
                    name,
                    "is not a list of patterns; allowed, with commas between: *, a prefix like visit.*, an exact name"
                )
            }
            patterns.append(pattern)
        }
        return patterns
    }

    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = values[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw .invalid(name, "is not a time; allowed: RFC 3339 with an offset, 2026-11-01T00:00:00Z")
        }
        return time
    }

    /// `30s`, `500ms`, `1m`; a bare number is seconds.
    func duration(_ name: String, atMost limit: Duration) throws(Problem) -> Duration? {
        guard let text = values[name] else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: Duration] = [
            "": .seconds(1), "s": .seconds(1), "ms": .milliseconds(1), "m": .seconds(60),
        ]
        guard let count = Int32(digits), String(count) == digits,
            let unit = units[text.dropFirst(digits.count)],
            unit * Int(count) <= limit
        else {
            throw .invalid(
                name, "is not a duration of at most \(limit.components.seconds)s; allowed: 30s, 500ms")
        }
        return unit * Int(count)
    }

    func filter() throws(Problem) -> EventFilter {
        EventFilter(
            types: try patterns("types"), accounts: try patterns("accounts"), subject: text("subject"))
    }
}

extension NamePattern {
    /// Whether a byte may be in a pattern: types and accounts have no others.
    static func isUsual(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "*"):
            true
        default: false
        }
    }
}
