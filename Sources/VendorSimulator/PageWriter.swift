import EventModel

/// Writes the reply with one page of rows.
struct PageWriter {
    enum NextCursor {
        case absent
        case value(String?)
    }

    /// A sound row is about 500 bytes, the longest of the cast 700: a page is written without growing.
    private static let rowBytes = 720

    private(set) var bytes: [UInt8] = []
    private let world: SimulatedVisits
    private let instant: Timestamp
    /// A broken row to put first, by its number and the second of its visit. Never last: a reader goes on
    /// from the last row, and must be able to read that one.
    var broken: (number: Int, second: Int64)?

    init(world: SimulatedVisits, rows: Int, instant: Timestamp) {
        (self.world, self.instant) = (world, instant)
        bytes.reserveCapacity(rows * Self.rowBytes + 1024)
    }

    mutating func write(_ rows: [VisitRecord], cursor: NextCursor) {
        bytes += Array(#"{"code":0,"message":"ok","data":{"list":["#.utf8)
        if let broken {
            let time = Timestamp(seconds: broken.second).chinaText
            bytes += BrokenRow.encoded(number: broken.number, time: time)
        }
        var (second, time): (Int64?, [UInt8]) = (nil, [])
        for row in rows {
            if bytes.last == UInt8(ascii: "}") { bytes.append(UInt8(ascii: ",")) }
            if second != row.second {
                second = row.second
                time = Array(Timestamp(seconds: row.second).chinaText.utf8)
            }
            world.encode(row, time: time, at: instant, into: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        if case .value(let cursor) = cursor {
            bytes += Array(#","nextCursor":"#.utf8) + jsonText(cursor)
        }
        bytes += Array("}}".utf8)
    }

    /// Loses the second half, as a broken connection behind a proxy does.
    mutating func cut() {
        bytes.removeLast(bytes.count / 2)
    }
}
