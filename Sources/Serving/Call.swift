import EventModel
import Foundation
import InboundHTTP
import Persisting

/// What a token may do; each scope contains those before it.
package enum Scope: String, Sendable, CaseIterable, Comparable {
    case read, write, admin

    package static func < (left: Scope, right: Scope) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .read: 0
        case .write: 1
        case .admin: 2
        }
    }
}

/// Who asks.
struct Caller: Sendable {
    /// The token's name, for the record of changes.
    let name: String
    let scope: Scope
}

/// One admitted request on its way to its handler.
struct Call: Sendable {
    let request: InboundRequest
    let caller: Caller
    /// The `{…}` parts of the route's path.
    let path: [String: String]
    let query: Query
}

/// What a handler answers.
enum Reply: Sendable {
    case answer(HTTPAnswer)
    case stream(StreamOrder)
}

/// A stream to be opened.
struct StreamOrder: Sendable {
    let after: Int64
    let filter: EventFilter
}

extension Reply {
    static func json(_ body: [UInt8], status: Int = 200, headers: HTTPHeaders = [:]) -> Reply {
        var fields = headers
        fields.append("Content-Type", "application/json")
        return .answer(HTTPAnswer(status: status, headers: fields, body: body))
    }

    static func object(
        status: Int = 200, headers: HTTPHeaders = [:], _ members: (inout JSONWriter) -> Void
    ) -> Reply {
        var writer = JSONWriter()
        writer.object(members)
        return json(writer.bytes, status: status, headers: headers)
    }

    static var nothing: Reply { .answer(HTTPAnswer(status: 204)) }
}

/// A list's page: `{items, next_cursor}`.
struct ListPage {
    let cursor: Int64?
    let limit: Int

    /// `cursor` is the number of the last item seen.
    init(_ query: Query) throws(Problem) {
        cursor = try query.integer("cursor", in: 0...Int64.max)
        limit = Int(try query.integer("limit", in: 1...1000) ?? 100)
    }

    /// Writes a page of items; one item more than `limit` tells that there are others.
    func reply<Item>(
        _ items: [Item], number: (Item) -> Int64, write: (Item, inout JSONWriter) -> Void
    ) -> Reply {
        let shown = items.prefix(limit)
        return .object { object in
            object.array("items") { array in
                for item in shown { array.object { write(item, &$0) } }
            }
            object.member("next_cursor", items.count > limit ? shown.last.map { String(number($0)) } : nil)
        }
    }
}
