import EventModel
import Foundation
import InboundHTTP
import Synchronization

/// `POST /api/v3/customer-relation/list-by-relation-create-time-asc`: the world of relations behind one lock.
///
/// Ascending by creation, with the vendor's cursor of (second, nanosecond, customer id): no two rows share one.
final class RelationsEndpoint: Sendable {
    static let path = "/api/v3/customer-relation/list-by-relation-create-time-asc"

    private let door: TanmaDoor
    private let world: Mutex<SimulatedRelations>

    init(_ door: TanmaDoor, start: Timestamp) {
        self.door = door
        let options = door.options
        world = Mutex(
            SimulatedRelations(
                seed: options.seed, start: start, rows: options.rows, spread: options.spread,
                rate: options.rate,
                limit: options.limit, revise: options.revise, comeBack: options.comeBack))
    }

    func truth(at instant: Timestamp) -> [TrueRelation] {
        world.withLock { world in
            world.advance(to: instant)
            return world.rows.filter { world.isListed($0, at: instant) }.map { world.shown($0, at: instant) }
        }
    }

    /// Every relation that was made until then, also those that were removed, by creation.
    func everMade(until instant: Timestamp) -> [SimulatedRelations.Row] {
        world.withLock { world in
            world.advance(to: instant)
            return world.rows
        }
    }

    func serve(_ request: InboundRequest) -> TanmaDoor.Reply {
        door.serve(request, at: Self.path) { instant, line throws(Refusal) in
            let query = try RelationsQuery(body: request.body, maxPageSize: door.options.maxPageSize)
            line.window = .init(since: query.since, before: query.before, size: query.size)
            return page(query, at: instant, &line)
        }
    }

    private func page(
        _ query: RelationsQuery, at instant: Timestamp, _ line: inout SimulatedRequest
    ) -> HTTPAnswer {
        let (rows, cursors, hasMore) = world.withLock { world in
            world.advance(to: instant)
            let matching = world.rows.filter { query.matches($0) && world.isListed($0, at: instant) }
            let page = matching.prefix(query.size)
            return (
                page.map { world.shown($0, at: instant) }, page.map(\.cursor), matching.count > query.size
            )
        }
        line.rows = rows.count
        door.served(rows.count, fault: line.fault)
        var body = encode(rows, cursor: nextCursor(cursors.last, hasMore, query), isAbsent: isAbsent(hasMore))
        if line.fault == .malformedPage { body.removeLast(body.count / 2) }
        return TanmaDoor.json(body)
    }

    private func isAbsent(_ hasMore: Bool) -> Bool {
        !hasMore && door.options.lastCursor == .absent
    }

    private func nextCursor(_ last: TanmaCursor?, _ hasMore: Bool, _ query: RelationsQuery) -> String? {
        if hasMore { return last?.text }
        return door.options.lastCursor == .same ? last?.text ?? query.cursorText : nil
    }

    private func encode(_ rows: [TrueRelation], cursor: String?, isAbsent: Bool) -> [UInt8] {
        var writer = JSONWriter(reserving: rows.count * 600 + 128)
        writer.object { reply in
            reply.member("code", 0 as Int64)
            reply.member("message", "ok")
            reply.object("data") { data in
                data.array("list") { list in
                    for row in rows { list.object { Self.encode(row, &$0) } }
                }
                if !isAbsent { data.member("nextCursor", cursor) }
            }
        }
        return writer.bytes
    }

    /// The fields of the vendor's sample; `companyInfo` only on type 2, as there.
    private static func encode(_ row: TrueRelation, _ object: inout JSONWriter) {
        object.member("customerId", row.customerID)
        object.member("qwUserId", row.staff)
        object.member("type", row.type)
        object.array("fields") { list in
            for (name, type, value) in [
                ("name", 1, "客户\(row.customerID % 1000)"),
                ("mobile", 8, "[\"1000000\(row.customerID % 10_000)\"]"),
                ("gender", 2, "0"),
            ] as [(String, Int64, String)] {
                list.object { field in
                    field.member("field", name)
                    field.member("type", type)
                    field.member("valueAsText", value)
                }
            }
        }
        object.array("tagIds") { _ in }
        object.member("createTime", row.createTime)
        object.member("lastUpdateTime", row.lastUpdateTime)
        if row.type == 2 {
            object.object("companyInfo") { company in
                company.member("id", row.customerID - 1)
                company.member("name", "公司\(row.customerID % 100)")
            }
        }
        object.member("wechatNickname", nil as String?)
        object.member("wechatAvatar", nil as String?)
        object.member("wechatLocation", nil as String?)
        object.member("convertCustomerTime", nil as String?)
        object.member("qwRemark", row.remark)
        object.member("externalUserId", row.externalUserID)
    }
}

extension SimulatedRelations.Row {
    var cursor: TanmaCursor {
        TanmaCursor(second: second, nanosecond: nanoseconds % 1_000_000_000, id: customerID)
    }
}

/// What a request asks of the relations endpoint.
struct RelationsQuery {
    let since: Timestamp
    /// Exclusive; nil for no end.
    let before: Timestamp?
    let size: Int
    let cursorText: String?
    private let type: Int64?
    private let staff: String?
    private let cursor: TanmaCursor?

    init(body: [UInt8], maxPageSize: Int) throws(Refusal) {
        let fields: Fields
        do { fields = try JSONDecoder().decode(Fields.self, from: Data(body)) } catch {
            throw .parameter("body")
        }
        guard let since = fields.since.flatMap({ Timestamp(chinaText: $0) }) else {
            throw .parameter("since")
        }
        let before = fields.before.flatMap { Timestamp(chinaText: $0) }
        guard (before == nil) == (fields.before == nil) else { throw .parameter("before") }
        let cursor = fields.cursor.flatMap { TanmaCursor(text: $0) }
        guard (cursor == nil) == (fields.cursor == nil) else { throw .parameter("cursor") }
        let asked = fields.size ?? 100
        guard asked >= 1 else { throw .parameter("size") }
        (self.since, self.before, self.cursor, cursorText) = (since, before, cursor, fields.cursor)
        (type, staff, size) = (fields.type, fields.qwUserId, min(asked, maxPageSize))
    }

    func matches(_ row: SimulatedRelations.Row) -> Bool {
        guard row.second >= since.seconds, before.map({ row.second < $0.seconds }) ?? true,
            type.map({ $0 == row.type }) ?? true, staff.map({ $0 == row.staff }) ?? true
        else { return false }
        guard let cursor else { return true }
        let place = row.cursor
        return (place.second, place.nanosecond, place.id) > (cursor.second, cursor.nanosecond, cursor.id)
    }

    private struct Fields: Decodable {
        let since, before, qwUserId, cursor: String?
        let type: Int64?
        let size: Int?
    }
}
