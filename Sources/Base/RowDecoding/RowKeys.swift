/// The names of a row's own fields, read without decoding the row: for noticing that a vendor's rows change shape.
package enum RowKeys {
    /// Top-level keys as they are written; of a row that is cut off, those before the cut. Empty for what is no object.
    package static func of(_ row: [UInt8]) -> Set<String> {
        var keys: Set<String> = []
        forEach(in: row) { keys.insert(String(decoding: row[$0], as: UTF8.self)) }
        return keys
    }

    /// The same keys in one piece, in the row's order: rows of one shape have the same, and most rows of a list do.
    package static func shape(of row: [UInt8]) -> [UInt8] {
        var shape: [UInt8] = []
        shape.reserveCapacity(256)
        forEach(in: row) { key in
            shape.append(contentsOf: row[key])
            shape.append(UInt8(ascii: "\""))
        }
        return shape
    }

    private static func forEach(in row: [UInt8], _ each: (Range<Int>) -> Void) {
        guard row.first == UInt8(ascii: "{") else { return }
        var depth = 0
        var place = 0
        while place < row.count {
            switch row[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let end = endOfText(row, from: place + 1)
                if depth == 1, isKey(row, after: end) { each((place + 1)..<end) }
                place = end
            default: break
            }
            place += 1
        }
    }

    /// The place of the closing quote, or of the end.
    package static func endOfText(_ row: [UInt8], from start: Int) -> Int {
        var place = start
        while place < row.count, row[place] != UInt8(ascii: "\"") {
            place += row[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(place, row.count)
    }

    /// Whether the text that ends here is followed by a colon.
    package static func isKey(_ row: [UInt8], after end: Int) -> Bool {
        var place = end + 1
        while place < row.count, isSpace(row[place]) { place += 1 }
        return place < row.count && row[place] == UInt8(ascii: ":")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
