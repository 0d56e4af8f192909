import Foundation

/// One object's members where they stand in a row's bytes: found in one pass, each read only when it is asked for.
///
/// `JSONDecoder` does the same at four times the price, because it is generic over keys and containers: reading a visit's
/// sixteen fields was a third of a backfill's processor time. What is rare is still left to it: numbers with a fraction
/// or an exponent, lists and objects of any shape. What it refuses is refused here, and of two members with one name the
/// first counts, as there (`DifferentialTests`).
struct RowMembers {
    enum Refusal: Error {
        case noJSON, noObject
    }

    private let bytes: [UInt8]
    private let members: [JSONMember]

    /// - Throws: what the bytes are instead of one object; names that cannot be read are no JSON.
    init(_ bytes: [UInt8]) throws(Refusal) {
        var scanner = JSONScanner(bytes, Self.afterMark(bytes)..<bytes.count)
        guard scanner.isAtObject() else {
            guard let value = scanner.value(depth: 0), scanner.isAtEnd(), value.kind != .null else {
                throw .noJSON
            }
            throw .noObject
        }
        guard let object = RowMembers(bytes, &scanner), scanner.isAtEnd() else { throw .noJSON }
        self = object
    }

    /// The object at which the scanner stands; nil when it is no JSON or one of its names cannot be read.
    private init?(_ bytes: [UInt8], _ scanner: inout JSONScanner) {
        var members: [JSONMember] = []
        members.reserveCapacity(24)
        guard scanner.object(depth: 0, each: { members.append($0) }) else { return nil }
        for member in members where !member.isPlain {
            guard JSONText.read(bytes[member.name], isPlain: false) != nil else { return nil }
        }
        (self.bytes, self.members) = (bytes, members)
    }

    /// Nil when there is no such member.
    func place(of name: String) -> JSONPlace? {
        var name = name
        return name.withUTF8 { wanted in members.first { isMatch($0, wanted) }?.value }
    }

    private func isMatch(_ member: JSONMember, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        if member.isPlain {
            return member.name.count == wanted.count && bytes[member.name].elementsEqual(wanted)
        }
        return JSONText.read(bytes[member.name], isPlain: false) == String(decoding: wanted, as: UTF8.self)
    }

    /// Nil for what is no text, and for a broken one.
    func text(_ place: JSONPlace) -> String? {
        switch place.kind {
        case .text: JSONText.read(bytes[place.range], isPlain: true)
        case .escapedText: JSONText.read(bytes[place.range], isPlain: false)
        default: nil
        }
    }

    /// Nil for what is no number, and for a number that is no 64-bit integer.
    func integer(_ place: JSONPlace) -> Int64? {
        guard place.kind == .number else { return nil }
        return shortInteger(place.range) ?? byFoundation(Int64.self, place.range)
    }

    /// Nil for what is no object, and for one whose names cannot be read.
    func object(_ place: JSONPlace) -> RowMembers? {
        guard place.kind == .object else { return nil }
        var scanner = JSONScanner(bytes, place.range)
        return RowMembers(bytes, &scanner)
    }

    /// Nil for what cannot be read.
    func anything(_ place: JSONPlace) -> AnyJSON? {
        switch place.kind {
        case .null: return .null
        case .yes: return .boolean(true)
        case .no: return .boolean(false)
        case .text, .escapedText: return text(place).map(AnyJSON.text)
        case .number:
            if let integer = shortInteger(place.range) { return .integer(integer) }
        case .array:
            if place.range.count == 2 { return .array([]) }
        case .object:
            if place.range.count == 2 { return .object([:]) }
        }
        return byFoundation(AnyJSON.self, place.range)
    }

    /// Up to 18 digits, so that nothing overflows; nil for anything else.
    private func shortInteger(_ range: Range<Int>) -> Int64? {
        var digits = bytes[range]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        guard (1...18).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else {
            return nil
        }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return isNegative ? -value : value
    }

    private func byFoundation<Value: Decodable>(_ type: Value.Type, _ range: Range<Int>) -> Value? {
        do { return try JSONDecoder().decode(type, from: Data(bytes[range])) } catch { return nil }
    }

    /// Foundation's decoder passes over a byte order mark.
    private static func afterMark(_ bytes: [UInt8]) -> Int {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }
}
