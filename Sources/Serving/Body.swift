import EventModel
import Foundation
import InboundHTTP
import Persisting
import RowDecoding
import Services

/// A request's JSON body, read by what the route knows.
struct Body: Sendable {
    private let fields: [String: AnyJSON]
    /// `retry.` for the fields of an object in the body.
    private let path: String

    /// - Parameter known: the fields the route reads; any other is refused by name.
    init(_ request: InboundRequest, known: [String]) throws(Problem) {
        guard !request.body.isEmpty else {
            try self.init([:], path: "", known: known)
            return
        }
        try Self.requireJSON(request.headers["content-type"])
        let value: AnyJSON
        do {
            value = try JSONDecoder().decode(AnyJSON.self, from: Data(request.body))
        } catch {
            throw Problem(400, "malformed-body", "Malformed body", "The body is not JSON.")
        }
        guard case .object(let object) = value else {
            throw Problem(400, "malformed-body", "Malformed body", "The body is not a JSON object.")
        }
        try self.init(object, path: "", known: known)
    }

    private init(_ object: [String: AnyJSON], path: String, known: [String]) throws(Problem) {
        for name in object.keys.sorted() where !known.contains(name) {
            let near = Nearest.name(to: name, among: known).map { ", did you mean \($0)?" } ?? ""
            throw .unprocessable(
                path + name, "there is no such field\(near) (allowed: \(known.joined(separator: ", ")))")
        }
        (fields, self.path) = (object, path)
    }

    func has(_ name: String) -> Bool { fields[name] != nil }
    func isNull(_ name: String) -> Bool { fields[name] == .null }

    func wrong(_ name: String, _ detail: String) -> Problem {
        .unprocessable(path + name, detail)
    }

    /// An object in the body; nil when it is not given.
    func object(_ name: String, known: [String]) throws(Problem) -> Body? {
        guard let value = fields[name] else { return nil }
        guard case .object(let object) = value else { throw wrong(name, "is not an object") }
        return try Body(object, path: path + name + ".", known: known)
    }

    func text(_ name: String) throws(Problem) -> String? {
        switch fields[name] {
        case nil: return nil
        case .text(let text): return text
        default: throw wrong(name, "is not a text")
        }
    }

    func required(_ name: String) throws(Problem) -> String {
        guard let text = try text(name) else { throw wrong(name, "is missing") }
        return text
    }

    func flag(_ name: String) throws(Problem) -> Bool? {
        switch fields[name] {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw wrong(name, "is not true or false")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        switch fields[name] {
        case nil: return nil
        case .integer(let value) where range.contains(Int(value)): return Int(value)
        default: throw wrong(name, "is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(Problem) -> Double? {
        let value: Double? =
            switch fields[name] {
            case .integer(let value): Double(value)
            case .number(let value): value
            default: nil
            }
        guard has(name) else { return nil }
        guard let value, range.contains(value) else {
            throw wrong(name, "is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// `500ms`, `10s`, `5m`, `2h`, `7d`.
    func duration(_ name: String) throws(Problem) -> Duration? {
        guard let text = try text(name) else { return nil }
        return try duration(text, name)
    }

    private func duration(_ text: String, _ name: String) throws(Problem) -> Duration {
        guard let duration = Duration(configured: text) else {
            throw wrong(name, "is not a duration; allowed: 500ms, 10s, 5m, 2h, 7d")
        }
        return duration
    }

    func durations(_ name: String) throws(Problem) -> [Duration]? {
        guard let texts = try texts(name) else { return nil }
        var durations: [Duration] = []
        for text in texts { durations.append(try duration(text, name)) }
        return durations
    }

    func texts(_ name: String) throws(Problem) -> [String]? {
        guard let value = fields[name] else { return nil }
        guard case .array(let elements) = value, elements.count <= 1000 else {
            throw wrong(name, "is not a list of at most 1000 texts")
        }
        var texts: [String] = []
        for element in elements {
            guard case .text(let text) = element else { throw wrong(name, "is not a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func patterns(_ name: String) throws(Problem) -> [NamePattern]? {
        guard let texts = try texts(name) else { return nil }
        var patterns: [NamePattern] = []
        for text in texts {
            guard let pattern = NamePattern(text), text.utf8.allSatisfy(NamePattern.isUsual) else {
                throw wrong(
                    name, "is not a list of patterns; allowed: *, a prefix like visit.*, an exact name")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// One of the words of an enumeration.
    func word<T: CaseIterable & RawRepresentable<String>>(_ name: String) throws(Problem) -> T? {
        guard let text = try text(name) else { return nil }
        guard let word = T(rawValue: text) else {
            throw wrong(name, "is none of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// Text values by name, null for those that are to go; nil when the object is not given.
    func pairs(_ name: String) throws(Problem) -> [String: String?]? {
        guard let value = fields[name] else { return nil }
        guard case .object(let object) = value else { throw wrong(name, "is not an object") }
        var pairs: [String: String?] = [:]
        for (key, value) in object {
            switch value {
            case .text(let text): pairs[key] = .some(text)
            case .null: pairs[key] = .some(nil)
            default: throw wrong("\(name).\(key)", "is not a text")
            }
        }
        return pairs
    }

    func time(_ name: String) throws(Problem) -> Timestamp {
        guard let time = Timestamp(rfc3339: try required(name)) else {
            throw wrong(name, "is not a time; allowed: RFC 3339 with an offset, 2026-11-01T00:00:00Z")
        }
        return time
    }

    /// A position in the log: an offset from 1, as a number or in digits, or a time; with its words also `now` and
    /// `beginning`.
    func start(_ name: String, words: [String]) throws(Problem) -> SinkStart? {
        let allowed =
            words.map { "\($0), " }.joined() + "an offset from 1, or a time like 2026-11-01T00:00:00Z"
        switch fields[name] {
        case nil: return nil
        case .integer(let offset) where offset >= 1: return .offset(offset)
        case .text("now") where words.contains("now"): return .now
        case .text("beginning") where words.contains("beginning"): return .beginning
        case .text(let text):
            if let offset = Int64(text), offset >= 1, String(offset) == text { return .offset(offset) }
            if let time = Timestamp(rfc3339: text) { return .time(time) }
            throw wrong(name, "is not a position; allowed: \(allowed)")
        default: throw wrong(name, "is not a position; allowed: \(allowed)")
        }
    }

    /// A list of whole numbers; nil when it is not given.
    func integers(_ name: String, atMost limit: Int) throws(Problem) -> [Int64]? {
        guard let value = fields[name] else { return nil }
        guard case .array(let elements) = value, !elements.isEmpty, elements.count <= limit else {
            throw wrong(name, "is not a list of 1 to \(limit) whole numbers")
        }
        var numbers: [Int64] = []
        for element in elements {
            guard case .integer(let number) = element, number > 0 else {
                throw wrong(name, "is not a list of whole numbers above 0")
            }
            numbers.append(number)
        }
        return numbers
    }

    private static func requireJSON(_ type: String?) throws(Problem) {
        let essence = (type ?? "").split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        guard let essence, essence == "application/json" || essence.hasSuffix("+json") else {
            throw Problem(
                415, "unsupported-media-type", "Unsupported media type", "Bodies are application/json.",
                field: "content-type")
        }
    }
}
