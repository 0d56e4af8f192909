import Foundation

/// A JSON value of any shape, for fields whose shape no vendor page tells.
package enum AnyJSON: Sendable, Equatable, Codable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case array([AnyJSON])
    case object([String: AnyJSON])

    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = Self.attempt({ try single.decode(String.self) }) {
            self = .text(value)
        } else if let value = Self.attempt({ try single.decode(Bool.self) }) {
            self = .boolean(value)
        } else if let value = Self.attempt({ try single.decode(Int64.self) }) {
            self = .integer(value)
        } else if let value = Self.attempt({ try single.decode([AnyJSON].self) }) {
            self = .array(value)
        } else if let value = Self.attempt({ try single.decode([String: AnyJSON].self) }) {
            self = .object(value)
        } else {
            let value = try single.decode(Double.self)
            // A whole number beyond 64 bits would be rounded: it is refused, not published as another one.
            guard value.rounded() != value || abs(value) < 0x1p53 else {
                throw DecodingError.dataCorruptedError(
                    in: single, debugDescription: "a number beyond 64 bits")
            }
            self = .number(value)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .null: try single.encodeNil()
        case .boolean(let value): try single.encode(value)
        case .integer(let value): try single.encode(value)
        case .number(let value): try single.encode(value)
        case .text(let value): try single.encode(value)
        case .array(let value): try single.encode(value)
        case .object(let value): try single.encode(value)
        }
    }

    /// Nil for null and `""`, which mean nothing.
    var orNothing: AnyJSON? {
        self == .null || self == .text("") ? nil : self
    }

    /// The text itself, or the value's JSON with sorted keys: the same value always gives the same text.
    package var asText: String {
        get throws {
            if case .text(let text) = self { return text }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// An array's texts and numbers as texts; anything else is one text, nothing is none.
    package var texts: [String] {
        get throws {
            switch self {
            case .null: []
            case .array(let elements): try elements.filter { $0 != .null }.map { try $0.asText }
            default: [try asText]
            }
        }
    }

    /// Nil for what is no JSON.
    package static func parse(_ text: String) -> AnyJSON? {
        do { return try JSONDecoder().decode(AnyJSON.self, from: Data(text.utf8)) } catch { return nil }
    }

    /// A decoder says which type a value has only by refusing the others.
    private static func attempt<T>(_ decode: () throws -> T) -> T? {
        do { return try decode() } catch { return nil }
    }
}
