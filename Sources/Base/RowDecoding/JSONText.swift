/// Makes a text of the bytes between a JSON text's quotes.
enum JSONText {
    /// Nil for an unknown escape, a raw control character, a lone surrogate or what is no UTF-8.
    /// - Parameter isPlain: there are neither backslashes nor control characters.
    static func read(_ content: ArraySlice<UInt8>, isPlain: Bool) -> String? {
        if isPlain { return String(validating: content, as: UTF8.self) }
        guard let bytes = unescaped(content) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func unescaped(_ content: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count)
        var next = content.startIndex
        while next < content.endIndex {
            let byte = content[next]
            next += 1
            if byte == UInt8(ascii: "\\") {
                guard unescape(content, &next, into: &bytes) else { return nil }
            } else {
                guard byte >= 0x20 else { return nil }
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// - Parameter next: behind the backslash; moves behind the escape.
    private static func unescape(
        _ content: ArraySlice<UInt8>, _ next: inout Int, into bytes: inout [UInt8]
    ) -> Bool {
        guard next < content.endIndex else { return false }
        let escape = content[next]
        next += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = scalar(content, &next), let encoded = UTF8.encode(scalar) else { return false }
            bytes.append(contentsOf: encoded)
        default: return false
        }
        return true
    }

    /// What stands after `\u`: four digits, or the eight of a surrogate pair with `\u` between them.
    private static func scalar(_ content: ArraySlice<UInt8>, _ next: inout Int) -> Unicode.Scalar? {
        guard let first = unit(content, &next) else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard content.endIndex - next >= 2, content[next] == UInt8(ascii: "\\"),
            content[next + 1] == UInt8(ascii: "u")
        else { return nil }
        next += 2
        guard let second = unit(content, &next), (0xDC00..<0xE000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(_ content: ArraySlice<UInt8>, _ next: inout Int) -> UInt32? {
        guard content.endIndex - next >= 4 else { return nil }
        var value: UInt32 = 0
        for digit in content[next..<next + 4] {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                value = value << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        next += 4
        return value
    }
}
