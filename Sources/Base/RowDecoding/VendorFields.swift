package import Ports

/// Reads one field of a vendor's row the way vendors write: tolerant of what means nothing, strict about the rest.
///
/// A missing key, null and `""` are all nothing. Numbers come as numbers or as texts. What fits neither is refused with
/// the field's name, never with its value. Of two fields with one name the first counts.
package struct VendorFields<Key: CodingKey> {
    private let members: RowMembers

    init(_ members: RowMembers) {
        self.members = members
    }

    /// A text; an integer is taken as its decimal digits.
    package func text(_ key: Key) throws(RowError) -> String? {
        try members.text(key.stringValue)
    }

    /// A 64-bit integer, also as text.
    package func integer(_ key: Key) throws(RowError) -> Int64? {
        try members.integer(key.stringValue)
    }

    /// A nested object; nothing, and a text that holds nothing (`""`, `"[]"`), give nil.
    package func object<Nested: CodingKey>(
        _ key: Key, keyedBy: Nested.Type
    ) throws(RowError) -> VendorFields<Nested>? {
        try members.object(key.stringValue).map { VendorFields<Nested>($0) }
    }

    /// A value whose shape the vendor does not document: any JSON, nothing as nil.
    package func anything(_ key: Key) throws(RowError) -> AnyJSON? {
        try members.anything(key.stringValue)
    }

    /// Whether the key is there at all, with whatever value.
    package func contains(_ key: Key) -> Bool {
        members.place(of: key.stringValue) != nil
    }
}

/// The same by name: what is not generic is compiled once.
extension RowMembers {
    fileprivate func text(_ name: String) throws(RowError) -> String? {
        guard let place = something(name) else { return nil }
        switch place.kind {
        case .text, .escapedText:
            guard let text = text(place) else { throw RowError("\(name): not a readable text") }
            return text.isEmpty ? nil : text
        default:
            guard let integer = integer(place) else {
                throw RowError("\(name): neither a text nor a 64-bit integer")
            }
            return String(integer)
        }
    }

    fileprivate func integer(_ name: String) throws(RowError) -> Int64? {
        guard let place = something(name) else { return nil }
        let value: Int64?
        if place.kind == .number {
            value = integer(place)
        } else {
            guard let text = try text(name) else { return nil }
            value = Int64(text)
        }
        guard let value else { throw RowError("\(name): not a 64-bit integer") }
        return value
    }

    fileprivate func object(_ name: String) throws(RowError) -> RowMembers? {
        guard let place = something(name) else { return nil }
        guard place.kind == .object else {
            if ["", "[]"].contains(text(place)) { return nil }
            throw RowError("\(name): not an object")
        }
        guard let object = object(place) else { throw RowError("\(name): not a readable object") }
        return object
    }

    fileprivate func anything(_ name: String) throws(RowError) -> AnyJSON? {
        guard let place = something(name) else { return nil }
        guard let value = anything(place) else { throw RowError("\(name): not readable") }
        return value.orNothing
    }

    /// Nil for a missing member and for null.
    private func something(_ name: String) -> JSONPlace? {
        place(of: name).flatMap { $0.kind == .null ? nil : $0 }
    }
}

/// Takes one row's bytes as an object and hands over its fields; anything else is refused.
package enum VendorRow<Key: CodingKey> {
    /// - Throws: `RowError` for bytes that are not one JSON object.
    package static func read(_ bytes: [UInt8]) throws(RowError) -> VendorFields<Key> {
        do throws(RowMembers.Refusal) {
            return VendorFields(try RowMembers(bytes))
        } catch {
            switch error {
            case .noObject: throw RowError("the row is not an object")
            case .noJSON: throw RowError("the row is not valid JSON")
            }
        }
    }
}
