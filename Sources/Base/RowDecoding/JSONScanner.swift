/// Walks over one JSON text and tells where its values stand, without making any of them.
///
/// As strict as Foundation's decoder about what stands between values (which passes over one comma too many), and as late:
/// whether a text is sound, and whether a number is one, is judged when somebody reads it. Every access is bounds-checked.
struct JSONScanner {
    /// Deeper nesting is refused, as by Foundation's decoder; it bounds the recursion.
    static let maxDepth = 512

    private let bytes: [UInt8]
    private let end: Int
    private var next: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        (next, end) = (range.lowerBound, range.upperBound)
    }

    /// Nil when there is no value here, or when it is no JSON.
    /// - Parameter depth: how many objects and lists the value stands in.
    mutating func value(depth: Int) -> JSONPlace? {
        skipSpace()
        guard next < end else { return nil }
        let start = next
        switch bytes[next] {
        case UInt8(ascii: "\""):
            guard let text = text() else { return nil }
            return JSONPlace(text.isPlain ? .text : .escapedText, text.content)
        case UInt8(ascii: "{"):
            return object(depth: depth) { _ in } ? JSONPlace(.object, start..<next) : nil
        case UInt8(ascii: "["):
            return array(depth: depth) ? JSONPlace(.array, start..<next) : nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            skipNumber()
            return JSONPlace(.number, start..<next)
        case UInt8(ascii: "n"): return word("null") ? JSONPlace(.null, start..<next) : nil
        case UInt8(ascii: "t"): return word("true") ? JSONPlace(.yes, start..<next) : nil
        case UInt8(ascii: "f"): return word("false") ? JSONPlace(.no, start..<next) : nil
        default: return nil
        }
    }

    /// The members of the object that begins here, in order; false when it is no JSON.
    mutating func object(depth: Int, each: (JSONMember) -> Void) -> Bool {
        guard depth < Self.maxDepth, take(UInt8(ascii: "{")) else { return false }
        skipSpace()
        if take(UInt8(ascii: "}")) { return true }
        while true {
            guard let key = text() else { return false }
            skipSpace()
            guard take(UInt8(ascii: ":")), let value = value(depth: depth + 1) else { return false }
            each(JSONMember(name: key.content, isPlain: key.isPlain && key.isASCII, value: value))
            skipSpace()
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
            skipSpace()
            if take(UInt8(ascii: "}")) { return true }
        }
    }

    /// Whether an object begins here.
    mutating func isAtObject() -> Bool {
        skipSpace()
        return next < end && bytes[next] == UInt8(ascii: "{")
    }

    /// Whether nothing but space is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return next == end
    }

    private mutating func array(depth: Int) -> Bool {
        guard depth < Self.maxDepth, take(UInt8(ascii: "[")) else { return false }
        skipSpace()
        if take(UInt8(ascii: "]")) { return true }
        while true {
            guard value(depth: depth + 1) != nil else { return false }
            skipSpace()
            if take(UInt8(ascii: "]")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
            skipSpace()
            if take(UInt8(ascii: "]")) { return true }
        }
    }

    /// A text's content between its quotes; escapes are stepped over.
    private mutating func text() -> (content: Range<Int>, isPlain: Bool, isASCII: Bool)? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = next
        var (isPlain, high): (Bool, UInt8) = (true, 0)
        while next < end {
            let byte = bytes[next]
            if byte == UInt8(ascii: "\"") {
                next += 1
                return (start..<(next - 1), isPlain, high < 0x80)
            }
            if byte == UInt8(ascii: "\\") {
                isPlain = false
                guard skipEscape() else { return nil }
                continue
            }
            if byte < 0x20 { isPlain = false }
            high |= byte
            next += 1
        }
        return nil
    }

    /// False where a text ends within the four digits of `\u`.
    private mutating func skipEscape() -> Bool {
        next += 2
        guard next <= end, bytes[next - 1] == UInt8(ascii: "u") else { return next <= end }
        guard next + 4 <= end, !bytes[next..<next + 4].contains(UInt8(ascii: "\"")) else { return false }
        next += 4
        return true
    }

    private mutating func skipNumber() {
        while next < end {
            switch bytes[next] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                next += 1
            default: return
            }
        }
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard end - next >= length else { return false }
        guard word.withUTF8Buffer({ $0.elementsEqual(bytes[next..<next + length]) }) else { return false }
        next += length
        return true
    }

    private mutating func skipSpace() {
        while next < end {
            switch bytes[next] {
            case 0x20, 0x0A, 0x0D, 0x09: next += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next < end, bytes[next] == byte else { return false }
        next += 1
        return true
    }
}

/// Where a value stands in its row's bytes, and what it is.
struct JSONPlace {
    enum Kind {
        case null, yes, no, number, array, object
        /// A text without backslashes and control characters.
        case text
        /// Any other, to be looked at byte by byte.
        case escapedText
    }

    let kind: Kind
    /// Of a text what stands between its quotes, of everything else the whole value.
    let range: Range<Int>

    init(_ kind: Kind, _ range: Range<Int>) {
        (self.kind, self.range) = (kind, range)
    }
}

/// One member of an object.
struct JSONMember {
    /// The name between its quotes.
    let name: Range<Int>
    /// Printable ASCII without escapes: the bytes are the name.
    let isPlain: Bool
    let value: JSONPlace
}
