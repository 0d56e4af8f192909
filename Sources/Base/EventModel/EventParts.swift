/// An encoded event taken apart again: its attributes one by one, and its `data` byte for byte.
///
/// The one encoding puts `data` last and every attribute before it as a plain string or number, so the first `,"data":`
/// is the member itself: a quote inside a string is always escaped.
package struct EventParts {
    /// In the order they stand; strings unescaped, numbers as they are written.
    package let attributes: [(name: String, value: String)]
    package let data: ArraySlice<UInt8>

    /// Nil for bytes that are no encoded event.
    package init?(_ event: [UInt8]) {
        let key = Array(#","data":"#.utf8)
        guard let place = event.firstRange(of: key), event.last == UInt8(ascii: "}") else { return nil }
        data = event[place.upperBound..<(event.count - 1)]
        guard let attributes = Self.attributes(event[1..<place.lowerBound]) else { return nil }
        self.attributes = attributes
    }

    private static func attributes(_ bytes: ArraySlice<UInt8>) -> [(name: String, value: String)]? {
        var found: [(name: String, value: String)] = []
        var rest = bytes
        while !rest.isEmpty {
            guard let name = string(&rest), rest.popFirst() == UInt8(ascii: ":") else { return nil }
            guard let value = rest.first == UInt8(ascii: "\"") ? string(&rest) : literal(&rest) else {
                return nil
            }
            found.append((name, value))
            guard rest.isEmpty || rest.popFirst() == UInt8(ascii: ",") else { return nil }
        }
        return found
    }

    private static func literal(_ rest: inout ArraySlice<UInt8>) -> String? {
        let value = rest.prefix { $0 != UInt8(ascii: ",") }
        rest = rest.dropFirst(value.count)
        return String(decoding: value, as: UTF8.self)
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = unescaped(&rest) else { return nil }
                text += escaped
            default: text.append(byte)
            }
        }
        return nil
    }

    /// What `JSONWriter` writes: a short escape, or four digits for a control.
    private static func unescaped(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            guard let code = UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) else {
                return nil
            }
            rest = rest.dropFirst(4)
            return [code]
        case let byte?: return [byte]
        case nil: return nil
        }
    }
}
