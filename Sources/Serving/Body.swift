import EventModel
import Foundation
import InboundHTTP
import RowDecoding
import Services

/// A request's JSON body, read by what the route knows.
struct Body: Sendable {
    private let fields: [String: AnyJSON]

    /// - Parameter known: the fields the route reads; any other is refused by name.
    init(_ request: InboundRequest, known: [String]) throws(Problem) {
        guard !request.body.isEmpty else {
            fields = [:]
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
        for name in object.keys.sorted() where !known.contains(name) {
            let near = Nearest.name(to: name, among: known).map { ", did you mean \($0)?" } ?? ""
            throw .unprocessable(
                name, "there is no such field\(near) (allowed: \(known.joined(separator: ", ")))")
        }
        fields = object
    }

    func text(_ name: String) throws(Problem) -> String? {
        switch fields[name] {
        case nil: return nil
        case .text(let text): return text
        default: throw .unprocessable(name, "is not a text")
        }
    }

    func required(_ name: String) throws(Problem) -> String {
        guard let text = try text(name) else { throw .unprocessable(name, "is missing") }
        return text
    }

    func time(_ name: String) throws(Problem) -> Timestamp {
        guard let time = Timestamp(rfc3339: try required(name)) else {
            throw .unprocessable(
                name, "is not a time; allowed: RFC 3339 with an offset, 2026-11-01T00:00:00Z")
        }
        return time
    }

    /// A list of whole numbers; nil when it is not given.
    func integers(_ name: String, atMost limit: Int) throws(Problem) -> [Int64]? {
        guard let value = fields[name] else { return nil }
        guard case .array(let elements) = value, !elements.isEmpty, elements.count <= limit else {
            throw .unprocessable(name, "is not a list of 1 to \(limit) whole numbers")
        }
        var numbers: [Int64] = []
        for element in elements {
            guard case .integer(let number) = element, number > 0 else {
                throw .unprocessable(name, "is not a list of whole numbers above 0")
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
