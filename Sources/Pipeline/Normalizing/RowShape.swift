import EventModel
import RowDecoding
import Signing

/// What may be known of a rejected row when personal data is not kept: its shape, length and hash.
///
/// The shape has the row's punctuation, keys and lengths; letters of texts are `x`, digits `0`. So a person can still see
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
            if !RowKeys.isKey(row, after: end) {
                for inside in (place + 1)..<max(place + 1, end) {
                    shape[inside] = hidden(row[inside], isText: true)
                }
            }
            place = end + 1
        }
        return shape
    }

    private static func hidden(_ byte: UInt8, isText: Bool) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...0xFF:
            isText ? UInt8(ascii: "x") : byte < 0x80 ? byte : UInt8(ascii: "x")
        default: byte
        }
    }
}
