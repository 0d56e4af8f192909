import EventModel
import RowDecoding
import Signing

/// What may be known of a rejected row when personal data is not kept: its shape, length and hash.
///
/// The shape has the row's punctuation, keys and lengths; letters of texts are `x`, digits `0`. A key that no field would be
/// called by is a text like any other: a row that is broken may have a name or a number in its place. So a person can still see
/// what is wrong with a row, and two rows of one shape are told apart by their hash.
enum RowShape {
    static func of(_ row: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: row.count + 160)
        writer.object { object in
            object.member("shape", String(decoding: shape(row), as: UTF8.self))
            object.member("length", Int64(row.count))
            object.member("sha256", Digest.sha256(row).hexadecimal)
        }
        return writer.bytes
    }

    private static func shape(_ row: [UInt8]) -> [UInt8] {
        var shape = row
        var place = 0
        while place < row.count {
            guard row[place] == UInt8(ascii: "\"") else {
                shape[place] = hidden(row[place], isText: false)
                place += 1
                continue
            }
            let end = RowKeys.endOfText(row, from: place + 1)
            if !RowKeys.isKey(row, after: end) || !isFieldName(row[(place + 1)..<max(place + 1, end)]) {
                for inside in (place + 1)..<max(place + 1, end) {
                    shape[inside] = hidden(row[inside], isText: true)
                }
            }
            place = end + 1
        }
        return shape
    }

    /// `qwUserId`, `staff_relation`: a small letter first, then letters, digits and `_`, no four digits in a row.
    private static func isFieldName(_ key: ArraySlice<UInt8>) -> Bool {
        guard let first = key.first, first.isSmallLetter, key.count <= longestFieldName else { return false }
        var digits = 0
        for byte in key {
            digits = byte.isDigit ? digits + 1 : 0
            guard digits < 4,
                byte.isSmallLetter || byte.isLargeLetter || byte.isDigit || byte == UInt8(ascii: "_")
            else { return false }
        }
        return true
    }

    private static let longestFieldName = 40

    private static func hidden(_ byte: UInt8, isText: Bool) -> UInt8 {
        switch byte {
        case _ where byte.isDigit: UInt8(ascii: "0")
        case _ where byte.isSmallLetter || byte.isLargeLetter || byte >= 0x80:
            isText ? UInt8(ascii: "x") : byte < 0x80 ? byte : UInt8(ascii: "x")
        default: byte
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isSmallLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    fileprivate var isLargeLetter: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
}
