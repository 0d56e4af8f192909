/// The names of a row's own fields, read without decoding the row: for noticing that a vendor's rows change shape.
package enum RowKeys {
    /// Top-level keys as they are written; of a row that is cut off, those before the cut. Empty for what is no object.
    package static func of(_ row: [UInt8]) -> Set<String> {
        var keys: Set<String> = []
        var depth = 0
        var place = 0
        while place < row.count {
            switch row[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let end = endOfText(row, from: place + 1)
                if depth == 1, row.first == UInt8(ascii: "{"), isKey(row, after: end) {
                    keys.insert(String(decoding: row[(place + 1)..<end], as: UTF8.self))
                }
                place = end
            default: break
            }
            place += 1
        }
        return keys
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
        while place < row.count, [0x20, 0x0A, 0x0D, 0x09].contains(row[place]) { place += 1 }
        return place < row.count && row[place] == UInt8(ascii: ":")
    }
}
