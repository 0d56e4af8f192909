package import EventModel
import Foundation
package import Ports

/// The looser shapes: lists that are texts, objects inside texts, flags and epochs in several spellings.
extension VendorFields {
    /// `true`, 1 and "true"; false likewise.
    package func boolean(_ key: Key) throws(RowError) -> Bool? {
        switch try anything(key) {
        case nil: return nil
        case .boolean(let value): return value
        case .integer(1), .text("1"), .text("true"): return true
        case .integer(0), .text("0"), .text("false"): return false
        default: throw RowError("\(key.stringValue): not a boolean")
        }
    }

    /// Seconds since 1970, as number or text. What no four-digit year holds is refused: it could not be written.
    package func epoch(_ key: Key) throws(RowError) -> Timestamp? {
        guard let seconds = try integer(key) else { return nil }
        guard (-62_167_219_200..<253_402_300_800).contains(seconds) else {
            throw RowError("\(key.stringValue): not a time in seconds")
        }
        return Timestamp(seconds: seconds)
    }

    /// A list of texts or numbers, also as JSON inside a text; nothing and `"[]"` are an empty list.
    package func texts(_ key: Key) throws(RowError) -> [String] {
        var texts: [String] = []
        for element in try list(key) where element != .null {
            do { texts.append(try element.asText) } catch {
                throw RowError("\(key.stringValue): not readable")
            }
        }
        return texts
    }

    /// A list of objects; nothing and `"[]"` are an empty list, elements that are nothing are passed over.
    package func objects<Nested: CodingKey>(
        _ key: Key, keyedBy: Nested.Type
    ) throws(RowError) -> [VendorFields<Nested>] {
        var objects: [VendorFields<Nested>] = []
        for element in try list(key) where element != .null {
            objects.append(try Self.reread(element, key))
        }
        return objects
    }

    /// An object, or JSON of one inside a text.
    package func embedded<Nested: CodingKey>(
        _ key: Key, keyedBy: Nested.Type
    ) throws(RowError) -> VendorFields<Nested>? {
        switch try anything(key) {
        case nil: return nil
        case .text(let text): return try VendorRow<Nested>.read(Array(text.utf8))
        case .some(let value): return try Self.reread(value, key)
        }
    }

    private func list(_ key: Key) throws(RowError) -> [AnyJSON] {
        switch try anything(key) {
        case nil: return []
        case .array(let elements): return elements
        case .text(let text):
            guard case .array(let elements) = AnyJSON.parse(text) else {
                throw RowError("\(key.stringValue): not a list")
            }
            return elements
        default: throw RowError("\(key.stringValue): not a list")
        }
    }

    private static func reread<Nested: CodingKey>(
        _ value: AnyJSON, _ key: Key
    ) throws(RowError) -> VendorFields<Nested> {
        guard case .object = value else { throw RowError("\(key.stringValue): not an object") }
        do {
            return try VendorRow<Nested>.read(Array(value.asText.utf8))
        } catch {
            throw RowError("\(key.stringValue): not a readable object")
        }
    }
}
