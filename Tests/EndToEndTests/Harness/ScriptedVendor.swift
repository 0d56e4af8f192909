import Foundation
import InboundHTTP

/// A vendor whose rows are raw text, so that they can be what no JSON encoder writes. Checks no signature.
final class ScriptedVendor: Sendable {
    struct Row: Sendable {
        /// `yyyy-MM-dd HH:mm:ss` at UTC+8, which sorts as text.
        let time: String
        let json: String
    }

    private let server: HTTPServer

    /// - Parameter rows: ascending in time.
    init(_ rows: [Row]) throws {
        server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            let reply = Self.page(rows, request.body)
            responder.answer(
                HTTPAnswer(
                    status: 200, headers: ["Content-Type": "application/json"], body: Array(reply.utf8)))
        }
    }

    deinit {
        server.stop()
    }

    var baseURL: String { "http://127.0.0.1:\(server.port)/apiServer" }

    /// Everything of the window on one page, with no cursor.
    private static func page(_ rows: [Row], _ body: [UInt8]) -> String {
        struct Query: Decodable { let since, before: String }
        guard let query = try? JSONDecoder().decode(Query.self, from: Data(body)) else {
            return #"{"code":1001,"message":"parameter","data":null}"#
        }
        let list = rows.filter { $0.time >= query.since && $0.time < query.before }.map(\.json)
        return
            #"{"code":0,"message":"ok","data":{"list":[\#(list.joined(separator: ","))],"nextCursor":null}}"#
    }
}
