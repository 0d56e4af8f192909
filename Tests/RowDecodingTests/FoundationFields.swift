import Foundation
import Ports

@testable import RowDecoding

/// A vendor's row read field by field by Foundation's `JSONDecoder`: what `VendorFields` is held against.
struct FoundationFields {
    private let container: KeyedDecodingContainer<FieldName>

    static func read(_ bytes: [UInt8]) throws -> FoundationFields {
        do {
            return try JSONDecoder().decode(Row.self, from: Data(bytes)).fields
        } catch DecodingError.typeMismatch {
            throw RowError("the row is not an object")
        } catch {
            throw RowError("the row is not valid JSON")
        }
    }

    func text(_ key: FieldName) throws -> String? {
        guard isSomething(key) else { return nil }
        do {
            let text = try container.decode(String.self, forKey: key)
            return text.isEmpty ? nil : text
        } catch DecodingError.typeMismatch {
            do {
                return String(try container.decode(Int64.self, forKey: key))
            } catch {
                throw RowError("\(key.stringValue): neither a text nor a 64-bit integer")
            }
        } catch {
            throw RowError("\(key.stringValue): not a readable text")
        }
    }

    func integer(_ key: FieldName) throws -> Int64? {
        guard isSomething(key) else { return nil }
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

    func object(_ key: FieldName) throws -> FoundationFields? {
        guard isSomething(key) else { return nil }
        do {
            return FoundationFields(
                container: try container.nestedContainer(keyedBy: FieldName.self, forKey: key))
        } catch DecodingError.typeMismatch {
            if let text = try? container.decode(String.self, forKey: key), ["", "[]"].contains(text) {
                return nil
            }
            throw RowError("\(key.stringValue): not an object")
        } catch {
            throw RowError("\(key.stringValue): not a readable object")
        }
    }

    func anything(_ key: FieldName) throws -> AnyJSON? {
        guard isSomething(key) else { return nil }
        do {
            return try container.decode(AnyJSON.self, forKey: key).orNothing
        } catch {
            throw RowError("\(key.stringValue): not readable")
        }
    }

    func contains(_ key: FieldName) -> Bool {
        container.contains(key)
    }

    private func isSomething(_ key: FieldName) -> Bool {
        do {
            return container.contains(key) ? try !container.decodeNil(forKey: key) : false
        } catch {
            return true
        }
    }

    private struct Row: Decodable {
        let fields: FoundationFields

        init(from decoder: any Decoder) throws {
            fields = FoundationFields(container: try decoder.container(keyedBy: FieldName.self))
        }
    }
}

/// Any name of a field.
struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
        stringValue = name
    }

    init?(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
