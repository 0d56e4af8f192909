import Foundation

/// The CloudEvents Kafka binding's binary mode: `data` is the value, every attribute a `ce_` header.
enum BinaryMode {
    /// The event's `data`, byte for byte as it stands in the one encoding, where it is the last member.
    static func data(_ event: [UInt8]) -> [UInt8] {
        guard let start = dataStart(event) else { return event }
        return Array(event[start..<(event.count - 1)])
    }

    static func headers(_ event: [UInt8]) -> [(name: String, value: String)] {
        guard let start = dataStart(event) else { return [] }
        let envelope = event[..<(start - dataKey.count)] + [UInt8(ascii: "}")]
        var headers = [("content-type", "application/json")]
        guard let attributes = decode(Data(envelope)) else { return headers }
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) where name != "datacontenttype" {
            headers.append(("ce_" + name, value.text))
        }
        return headers
    }

    private static let dataKey = Array(#","data":"#.utf8)

    /// Every attribute before it is a plain string or number, so the first match outside them is the member itself: a
    /// quote inside a string is always escaped.
    private static func dataStart(_ event: [UInt8]) -> Int? {
        event.firstRange(of: dataKey)?.upperBound
    }

    private static func decode(_ json: Data) -> [String: Attribute]? {
        do { return try JSONDecoder().decode([String: Attribute].self, from: json) } catch { return nil }
    }

    private struct Attribute: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            do { text = try value.decode(String.self) } catch { text = String(try value.decode(Int64.self)) }
        }
    }
}
