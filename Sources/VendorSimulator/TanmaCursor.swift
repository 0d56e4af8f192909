import EventModel
import Foundation

/// The position of a row as the vendor encodes it: 24 bytes in base64, three big-endian numbers.
///
///     epoch second (8) │ nanosecond (8), 0 for visits │ customer id, or 0 (8)
///
/// The id is no row id: rows of one second with the same customer id, or with none, share a position. Going
/// on "strictly after" it skips those of them that did not fit on the page, as the vendor's would.
struct TanmaCursor: Equatable {
    let second: Int64
    let nanosecond: Int64
    let id: Int64

    init(second: Int64, nanosecond: Int64 = 0, id: Int64) {
        (self.second, self.nanosecond, self.id) = (second, nanosecond, id)
    }

    init(_ record: VisitRecord) {
        self.init(second: record.second, id: record.tieBreaker)
    }

    init?(text: String) {
        guard let data = Data(base64Encoded: text), data.count == 24 else { return nil }
        let words = stride(from: 0, to: 24, by: 8).map { start in
            data.dropFirst(start).prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        }
        self.init(second: words[0], nanosecond: words[1], id: words[2])
    }

    var text: String {
        let bytes = [second, nanosecond, id].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
        return Data(bytes).base64EncodedString()
    }
}
