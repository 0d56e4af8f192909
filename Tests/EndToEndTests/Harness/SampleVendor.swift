import Foundation
import InboundHTTP

/// Both vendors with nothing but rows given as text: their own samples and made-up nasty ones. Checks no signature, knows no
/// pages: everything asked for is one reply.
final class SampleVendor: Sendable {
    /// A row of a list, and what selects it: a time as the vendor writes it, or a customer.
    struct Row: Sendable {
        let selector: String
        var type: Int64 = 0
        let json: String
    }

    struct Rows: Sendable {
        var visits: [Row] = []
        var relations: [Row] = []
        var followRecords: [Row] = []
        var files: [Row] = []
        var outflows: [Row] = []
    }

    private struct Body: Decodable {
        let since, before, externalUserId: String?
        let type, customerId: Int64?
    }

    private let server: HTTPServer

    init(_ rows: Rows) throws {
        server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            let reply = Self.reply(to: request, rows)
            responder.answer(
                HTTPAnswer(
                    status: 200, headers: ["Content-Type": "application/json"], body: Array(reply.utf8)))
        }
    }

    deinit {
        server.stop()
    }

    var tanmaURL: String { "http://127.0.0.1:\(server.port)/apiServer" }
    var weibanURL: String { "http://127.0.0.1:\(server.port)" }

    private static func reply(to request: InboundRequest, _ rows: Rows) -> String {
        if request.path.hasSuffix("/access_token/get") {
            return #"{"errcode":0,"errmsg":"ok","access_token":"made-up","expires_in":7200}"#
        }
        if request.path.hasSuffix("/list/outflow") {
            let (from, to) = (request.query("start_time") ?? "", request.query("end_time") ?? "")
            let list = rows.outflows.filter {
                Int64($0.selector) ?? 0 >= Int64(from) ?? 0 && Int64($0.selector) ?? 0 < Int64(to) ?? 0
            }
            let page = request.query("offset") == "0" ? list : []
            return #"{"errcode":0,"external_user_list":[\#(joined(page))],"total_count":\#(list.count)}"#
        }
        guard let body = try? JSONDecoder().decode(Body.self, from: Data(request.body)) else {
            return #"{"code":1001,"message":"parameter","data":null}"#
        }
        switch request.path.split(separator: "/").last {
        case "qw-list-by-customer":
            let list = rows.followRecords.filter { $0.selector == body.externalUserId }
            return #"{"code":0,"data":[\#(joined(list))]}"#
        case "list-file-of-customer":
            let list = rows.files.filter { $0.selector == body.customerId.map { String($0) } }
            return #"{"code":0,"data":{"totalCount":\#(list.count),"result":[\#(joined(list))]}}"#
        case "list-by-relation-create-time-asc":
            return page(rows.relations.filter { $0.type == body.type }, body)
        default:
            return page(rows.visits, body)
        }
    }

    private static func page(_ rows: [Row], _ body: Body) -> String {
        let list = rows.filter { $0.selector >= body.since ?? "" && $0.selector < body.before ?? "" }
        return #"{"code":0,"data":{"list":[\#(joined(list))],"nextCursor":null}}"#
    }

    private static func joined(_ rows: [Row]) -> String {
        rows.map(\.json).joined(separator: ",")
    }
}
