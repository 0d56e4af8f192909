/// Cuts a page into its rows before anything decodes it, so that one bad row never spoils the page.
///
/// A scanner of brackets and strings over bytes: it does not care what a string holds, so lone surrogates, raw control
/// characters, huge numbers and broken UTF-8 stay inside the row they are in. What it gives back is the envelope with an
/// empty list in the rows' place, to be decoded as usual, and each row's own bytes.
package struct RowSlicer {
    package struct Slices: Sendable, Equatable {
        /// The page without its rows: `{"code":0,…,"data":{"list":[],…}}`.
        package let envelope: [UInt8]
        package let rows: [[UInt8]]
        /// Whether there was a list at the path at all.
        package let hasList: Bool
    }

    /// More rows than this in one page are no vendor's reply.
    static let maxRows = 200_000

    private let bytes: [UInt8]
    private let path: [[UInt8]]
    private var next = 0
    private var list: Range<Int>?
    private var rows: [[UInt8]] = []

    /// - Parameter path: the keys that lead from the top to the list of rows: `["data", "list"]`.
    /// - Returns: nil when brackets or strings do not close: the page was cut off or is no JSON at all. A page without
    ///   such a list gives no rows and itself as envelope.
    package static func slice(_ page: [UInt8], path: [String]) -> Slices? {
        var slicer = RowSlicer(bytes: page, path: path.map { Array($0.utf8) })
        guard slicer.value(depth: 0, onPath: true), slicer.atEnd() else { return nil }
        guard let list = slicer.list else { return Slices(envelope: page, rows: [], hasList: false) }
        var envelope = page
        envelope.removeSubrange(list)
        return Slices(envelope: envelope, rows: slicer.rows, hasList: true)
    }

    private init(bytes: [UInt8], path: [[UInt8]]) {
        (self.bytes, self.path) = (bytes, path)
    }

    /// Deeper nesting than this is no vendor's reply; it bounds the recursion.
    private static let maxDepth = 100

    private mutating func value(depth: Int, onPath: Bool) -> Bool {
        skipSpace()
        guard next < bytes.count, depth <= Self.maxDepth else { return false }
        switch bytes[next] {
        case UInt8(ascii: "{"): return object(depth: depth, onPath: onPath)
        case UInt8(ascii: "["): return array(depth: depth, isRows: onPath && depth == path.count)
        case UInt8(ascii: "\""): return string() != nil
        default: return literal()
        }
    }

    private mutating func object(depth: Int, onPath: Bool) -> Bool {
        next += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return true }
        while true {
            skipSpace()
            guard let key = string() else { return false }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { return false }
            let leads = onPath && depth < path.count && bytes[key].elementsEqual(path[depth])
            guard value(depth: depth + 1, onPath: leads) else { return false }
            skipSpace()
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func array(depth: Int, isRows: Bool) -> Bool {
        next += 1
        let start = next
        var found: [[UInt8]] = []
        skipSpace()
        if !take(UInt8(ascii: "]")) {
            while true {
                skipSpace()
                let begin = next
                guard value(depth: depth + 1, onPath: false) else { return false }
                if isRows {
                    guard found.count < Self.maxRows else { return false }
                    found.append(Array(bytes[begin..<next]))
                }
                skipSpace()
                if take(UInt8(ascii: "]")) { break }
                guard take(UInt8(ascii: ",")) else { return false }
            }
        }
        if isRows, list == nil {
            list = start..<(next - 1)
            rows = found
        }
        return true
    }

    /// The place of a string's content between its quotes; escapes are skipped, not read.
    private mutating func string() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = next
        while next < bytes.count {
            switch bytes[next] {
            case UInt8(ascii: "\""):
                next += 1
                return start..<(next - 1)
            case UInt8(ascii: "\\"): next += 2
            default: next += 1
            }
        }
        return nil
    }

    /// Numbers, `true`, `null`, and whatever else stands where a value should be: the decoder will judge it.
    private mutating func literal() -> Bool {
        let start = next
        while next < bytes.count, !Self.endsLiteral[Int(bytes[next])] { next += 1 }
        return next > start
    }

    private mutating func skipSpace() {
        while next < bytes.count, Self.isSpace(bytes[next]) { next += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next < bytes.count, bytes[next] == byte else { return false }
        next += 1
        return true
    }

    private mutating func atEnd() -> Bool {
        skipSpace()
        return next == bytes.count
    }

    private static let endsLiteral: [Bool] = (0...255).map { byte in
        isSpace(UInt8(byte)) || ",]}[{:\"".utf8.contains(UInt8(byte))
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
