import EventModel
import Foundation

/// What a request asks of the visits endpoint.
struct VisitsQuery {
    /// What the size is when none is given; the vendor's default is unknown.
    private static let defaultSize = 100

    let since: Timestamp
    /// Exclusive; nil for no end.
    let before: Timestamp?
    let size: Int
    let unionid: String?
    /// Rows after this position only.
    let cursor: TanmaCursor?
    /// The cursor as it came, to be sent back.
    let cursorText: String?

    init(body: [UInt8], maxPageSize: Int) throws(Refusal) {
        let fields = try Self.decode(body)
        guard let since = fields.since.flatMap({ Timestamp(chinaText: $0) }) else {
            throw .parameter("since")
        }
        self.since = since
        before = try fields.before.map { text throws(Refusal) in
            guard let time = Timestamp(chinaText: text) else { throw .parameter("before") }
            return time
        }
        let asked = fields.size ?? Self.defaultSize
        guard asked >= 1 else { throw .parameter("size") }
        size = min(asked, maxPageSize)
        unionid = fields.unionid
        cursorText = fields.cursor
        cursor = try Self.position(fields)
    }

    private static func position(_ fields: Fields) throws(Refusal) -> TanmaCursor? {
        switch (fields.cursor, fields.cursorBo) {
        case (nil, nil):
            return nil
        case (let text?, nil):
            guard let cursor = TanmaCursor(text: text) else { throw .parameter("cursor") }
            return cursor
        case (nil, let open?):
            guard let time = Timestamp(chinaText: open.time) else { throw .parameter("cursorBo") }
            return TanmaCursor(second: time.seconds, id: open.id ?? 0)
        case (_?, _?):
            throw .parameter("cursor, cursorBo")
        }
    }

    private struct Fields: Decodable {
        struct OpenCursor: Decodable {
            let time: String
            let id: Int64?
        }

        let since: String?
        let before: String?
        let size: Int?
        let unionid: String?
        let cursor: String?
        let cursorBo: OpenCursor?
    }

    private static func decode(_ body: [UInt8]) throws(Refusal) -> Fields {
        do {
            return try JSONDecoder().decode(Fields.self, from: Data(body))
        } catch {
            throw .parameter("body")
        }
    }
}

extension SimulatedVisits {
    /// One page of a window, and whether a row that matches comes after it.
    func page(_ query: VisitsQuery, size: Int, at instant: Timestamp) -> (rows: [VisitRecord], hasMore: Bool)
    {
        var place = firstPlace(atOrAfter: query.since.seconds)
        if let cursor = query.cursor { place = max(place, firstPlace(after: cursor)) }
        var rows: [VisitRecord] = []
        rows.reserveCapacity(size)
        while place < records.count {
            let record = records[place]
            if let before = query.before, record.second >= before.seconds { break }
            place += 1
            guard record.isVisible(at: instant), matches(record, query.unionid) else { continue }
            if rows.count == size { return (rows, true) }
            rows.append(record)
        }
        return (rows, false)
    }

    private func matches(_ record: VisitRecord, _ unionid: String?) -> Bool {
        unionid == nil || visitors[Int(record.visitor)].unionid == unionid
    }
}
