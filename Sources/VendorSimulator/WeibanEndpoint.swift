import EventModel
import Foundation
import InboundHTTP
import Synchronization

/// Weiban's two paths: the token and the list of churned customers, with the faults of the vendors' common door.
///
/// A token lives as long as the options say; a list request with another one is answered with code 10001. The list is
/// newest first, by offset: rows that appear while it is read shift what follows.
final class WeibanEndpoint: Sendable {
    static let tokenPath = "/open-api/access_token/get"
    static let outflowPath = "/open-api/external_user/list/outflow"

    private struct State {
        var world: SimulatedOutflows
        var token: (text: String, until: Timestamp)?
        var granted = 0
    }

    private let door: TanmaDoor
    private let now: @Sendable () -> Timestamp
    private let state: Mutex<State>

    init(_ door: TanmaDoor, now: @escaping @Sendable () -> Timestamp) {
        (self.door, self.now) = (door, now)
        state = Mutex(State(world: SimulatedOutflows(door.options, start: now())))
    }

    func truth(at instant: Timestamp) -> [TrueOutflow] {
        state.withLock { state in
            state.world.advance(to: instant)
            return state.world.listed(at: instant).map { state.world.shown($0, at: instant) }
        }
    }

    func serve(_ request: InboundRequest, at path: String) -> TanmaDoor.Reply {
        door.serveUnsigned(request, at: path) { instant, line in
            path == Self.tokenPath ? grant(request, instant) : list(request, instant, &line)
        }
    }

    private func grant(_ request: InboundRequest, _ instant: Timestamp) -> HTTPAnswer {
        struct Body: Decodable {
            enum CodingKeys: String, CodingKey { case corpID = "corp_id", secret }

            let corpID, secret: String
        }
        let body: Body
        do {
            body = try JSONDecoder().decode(Body.self, from: Data(request.body))
        } catch {
            return Self.refusal(20201, "bad request")
        }
        guard body.corpID == door.options.corpID, body.secret == door.options.corpSecret else {
            return Self.refusal(10003, "wrong secret")
        }
        let life = door.options.tokenLife
        let token = state.withLock { state in
            state.granted += 1
            let token = "sim-token-\(state.granted)"
            state.token = (token, instant + life)
            return token
        }
        var writer = JSONWriter(reserving: 160)
        writer.object { reply in
            reply.member("errcode", 0 as Int64)
            reply.member("errmsg", "ok")
            reply.member("access_token", token)
            reply.member("expires_in", life.wholeMilliseconds / 1000)
        }
        return TanmaDoor.json(writer.bytes)
    }

    private func list(
        _ request: InboundRequest, _ instant: Timestamp, _ line: inout SimulatedRequest
    ) -> HTTPAnswer {
        guard let query = OutflowQuery(request, maxPageSize: door.options.maxPageSize) else {
            return Self.refusal(20202, "bad parameters")
        }
        let page = state.withLock { state -> (rows: [TrueOutflow], total: Int)? in
            guard let token = state.token, token.text == request.query("access_token"), instant < token.until
            else {
                return nil
            }
            state.world.advance(to: instant)
            let matching = state.world.listed(at: instant).filter(query.matches).reversed()
            let rows = matching.dropFirst(query.offset).prefix(query.limit)
            return (rows.map { state.world.shown($0, at: instant) }, matching.count)
        }
        guard let page else { return Self.refusal(10001, "invalid access_token") }
        line.rows = page.rows.count
        door.served(page.rows.count, fault: line.fault)
        var body = Self.encode(page.rows, total: page.total)
        if line.fault == .malformedPage { body.removeLast(body.count / 2) }
        return TanmaDoor.json(body)
    }

    static func refusal(_ code: Int64, _ message: String) -> HTTPAnswer {
        var writer = JSONWriter(reserving: 80)
        writer.object { reply in
            reply.member("errcode", code)
            reply.member("errmsg", message)
        }
        return TanmaDoor.json(writer.bytes)
    }

    private static func encode(_ rows: [TrueOutflow], total: Int) -> [UInt8] {
        var writer = JSONWriter(reserving: rows.count * 700 + 128)
        writer.object { reply in
            reply.member("errcode", 0 as Int64)
            reply.member("errmsg", "ok")
            reply.array("external_user_list") { list in
                for row in rows { list.object { encode(row, &$0) } }
            }
            reply.member("total_count", Int64(total))
        }
        return writer.bytes
    }

    private static func encode(_ row: TrueOutflow, _ object: inout JSONWriter) {
        object.member("avatar", nil as String?)
        object.member("created_at", row.outflowAt - 86_400)
        object.member("gender", 1 as Int64)
        object.member("has_chat", false)
        object.member("id", row.externalUserID)
        object.member("name", "客户\(row.externalUserID.suffix(3))")
        object.member("outflow_at", row.outflowAt)
        object.member("score", 1 as Int64)
        object.object("staff") { staff in
            staff.member("id", row.staff)
            staff.member("name", "员工")
            staff.member("mobile", "10000000042")
        }
        object.object("staff_relation") { relation in
            relation.member("add_way", 1 as Int64)
            relation.member("createtime", row.outflowAt - 3600)
            relation.member("delete_by", "external_user")
            relation.member("deleted", false)
            relation.member("deleted_at", row.outflowAt)
            relation.member("external_user_ext_id", row.externalUserID)
            relation.member("remark", row.remark)
            relation.member("staff_ext_id", row.staff)
            relation.member("staff_id", 102_468_059 as Int64)
            relation.member("updated_at", row.outflowAt + (row.isEdited ? 60 : 0))
        }
        object.array("tags") { _ in }
        object.member("type", 1 as Int64)
        object.member("unionid", "oSim\(row.externalUserID)")
    }
}

/// What a request asks of the outflow list; every parameter may be left out.
struct OutflowQuery {
    let offset: Int
    let limit: Int
    private let start: Int64
    private let end: Int64

    /// Nil for a value that is no number.
    init?(_ request: InboundRequest, maxPageSize: Int) {
        func number(_ name: String, _ fallback: Int64) -> Int64? {
            request.query(name).map { Int64($0) } ?? fallback
        }
        guard let start = number("start_time", .min), let end = number("end_time", .max),
            let offset = number("offset", 0), let limit = number("limit", 10), offset >= 0, limit >= 1
        else { return nil }
        (self.start, self.end) = (start, end)
        (self.offset, self.limit) = (Int(offset), min(Int(limit), maxPageSize))
    }

    func matches(_ row: SimulatedOutflows.Row) -> Bool {
        row.outflowAt >= start && row.outflowAt <= end
    }
}
