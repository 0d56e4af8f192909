import Foundation
package import Ports

/// Reads one field of a vendor's row the way vendors write: tolerant of what means nothing, strict about the rest.
///
/// A missing key, null and `""` are all nothing. Numbers come as numbers or as texts. What fits neither is refused with
/// the field's name, never with its value.
package struct VendorFields<Key: CodingKey> {
    private let container: KeyedDecodingContainer<Key>

    package init(_ container: KeyedDecodingContainer<Key>) {
        self.container = container
    }

    /// A text; an integer is taken as its decimal digits.
    package func text(_ key: Key) throws(RowError) -> String? {
        guard has(key) else { return nil }
        do {
            let text = try container.decode(String.self, forKey: key)
            return text.isEmpty ? nil : text
        } catch DecodingError.typeMismatch {
            return String(try number(key))
        } catch {
            throw RowError("\(key.stringValue): not a readable text")
        }
    }

    /// A 64-bit integer, also as text.
    package func integer(_ key: Key) throws(RowError) -> Int64? {
        guard has(key) else { return nil }
        do {
            return try container.decode(Int64.self, forKey: key)
        } catch DecodingError.typeMismatch {
            guard let text = try text(key) else { return nil }
            guard let value = Int64(text) else { throw RowError("\(key.stringValue): not a 64-bit integer") }
            return value
        } catch {
            throw RowError("\(key.stringValue): not a 64-bit integer")
        }
    }

    /// A nested object; nothing, and a text that holds nothing (`""`, `"[]"`), give nil.
    package func object<Nested: CodingKey>(
        _ key: Key, keyedBy: Nested.Type
    ) throws(RowError) -> VendorFields<Nested>? {
        guard has(key) else { return nil }
        do {
            return VendorFields<Nested>(try container.nestedContainer(keyedBy: keyedBy, forKey: key))
        } catch DecodingError.typeMismatch {
            if isEmptyText(key) { return nil }
            throw RowError("\(key.stringValue): not an object")
        } catch {
            throw RowError("\(key.stringValue): not a readable object")
        }
    }

    /// A value whose shape the vendor does not document: any JSON, nothing as nil.
    package func anything(_ key: Key) throws(RowError) -> AnyJSON? {
        guard has(key) else { return nil }
        do {
            return try container.decode(AnyJSON.self, forKey: key).orNothing
        } catch {
            throw RowError("\(key.stringValue): not readable")
        }
    }

    /// Whether the key is there at all, with whatever value.
    package func contains(_ key: Key) -> Bool {
        container.contains(key)
    }

    private func has(_ key: Key) -> Bool {
        do {
            return container.contains(key) ? try !container.decodeNil(forKey: key) : false
        } catch {
            // What cannot even be looked at is not nothing: the read that follows says what is wrong.
            return true
        }
    }

    private func isEmptyText(_ key: Key) -> Bool {
        do {
            return ["", "[]"].contains(try container.decode(String.self, forKey: key))
        } catch {
            // Whatever else it is, it is no text that means nothing.
            return false
        }
    }

    private func number(_ key: Key) throws(RowError) -> Int64 {
        do {
            return try container.decode(Int64.self, forKey: key)
        } catch {
            throw RowError("\(key.stringValue): neither a text nor a 64-bit integer")
        }
    }
}

/// Decodes one row's bytes as an object and hands over its fields; anything else is refused.
package struct VendorRow<Key: CodingKey>: Decodable {
    package let fields: VendorFields<Key>

    package init(from decoder: any Decoder) throws {
        fields = VendorFields(try decoder.container(keyedBy: Key.self))
    }

    /// - Throws: `RowError` for bytes that are not one JSON object.
    package static func read(_ bytes: [UInt8]) throws(RowError) -> VendorFields<Key> {
        do {
            return try JSONDecoder().decode(VendorRow<Key>.self, from: Data(bytes)).fields
        } catch DecodingError.typeMismatch {
            throw RowError("the row is not an object")
        } catch {
            throw RowError("the row is not valid JSON")
        }
    }
}
