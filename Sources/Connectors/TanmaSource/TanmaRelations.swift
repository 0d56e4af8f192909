package import EventModel
package import Ports
import Services

/// `tanma.relations`: `POST /api/v3/customer-relation/list-by-relation-create-time-asc`.
///
/// Whether leaving the type out gives both kinds of customer is unknown, so each is a lane of its own. The list ascends by
/// creation to the microsecond, which its texts do not show but its cursor holds: no two rows share one, and pages follow
/// each other by cursor. Edits never come back in it; sweeps find them.
package struct TanmaRelations: WindowSource {
    package let kind = SourceKind.relations
    /// The vendor's types: 1 individual, 2 enterprise (worked out from its samples).
    package let lanes = ["1", "2"]
    private let client: TanmaClient
    private let pageSize: Int

    static let path = "/api/v3/customer-relation/list-by-relation-create-time-asc"

    package init(_ client: TanmaClient, pageSize: Int) {
        (self.client, self.pageSize) = (client, pageSize)
    }

    package nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        let doing = "read relations of type \(lane) from \(window.from.rfc3339) to \(window.to.rfc3339)"
        var paging = CursorPaging(pageSize: pageSize)
        var step = CursorPaging.Step.next(nil)
        while case .next(let cursor) = step {
            let reply = try await client.post(
                Self.path, body: body(window, lane: lane, cursor: cursor), doing: doing)
            try await store(Page(rows: reply.rows, vendorTime: reply.vendorTime))
            step = paging.received(count: reply.rows.count, cursor: reply.nextCursor)
        }
        if step == .loop {
            throw SourceError(.malformed, doing: doing, cause: "the vendor repeats a cursor")
        }
    }

    private func body(_ window: Window, lane: String, cursor: String?) -> [UInt8] {
        var writer = JSONWriter(reserving: 160)
        writer.object { body in
            body.member("since", window.from.chinaText)
            body.member("before", window.to.chinaText)
            body.member("type", Int64(lane))
            body.member("size", Int64(pageSize))
            if let cursor { body.member("cursor", cursor) }
        }
        return writer.bytes
    }
}
