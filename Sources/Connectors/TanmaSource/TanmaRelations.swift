package import EventModel
package import Ports
import RowDecoding

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
        var walk = RelationWalk(window, pageSize: pageSize)
        while case .next(let request) = walk.step {
            do throws(SourceError) {
                let reply = try await client.post(
                    Self.path, body: body(request, before: window.to, lane: lane), doing: doing)
                try await store(Page(rows: reply.rows, vendorTime: reply.vendorTime))
                walk.received(
                    count: reply.rows.count, lastSecond: Self.lastSecond(reply.rows), cursor: reply.nextCursor
                )
            } catch {
                guard case .code = error.kind, walk.cursorRefused() else { throw error }
            }
        }
        if walk.step == .loop {
            throw SourceError(.malformed, doing: doing, cause: "the vendor repeats a cursor")
        }
    }

    /// When the last readable row was created.
    private static func lastSecond(_ rows: [[UInt8]]) -> Timestamp? {
        for row in rows.reversed() {
            do throws(RowError) {
                if let time = try VendorRow<TimeKey>.read(row).chinaTime(.createTime) { return time.instant }
            } catch {
                continue
            }
        }
        return nil
    }

    private enum TimeKey: String, CodingKey { case createTime }

    private func body(_ request: RelationWalk.Request, before: Timestamp, lane: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 160)
        writer.object { body in
            body.member("since", request.since.chinaText)
            body.member("before", before.chinaText)
            body.member("type", Int64(lane))
            body.member("size", Int64(pageSize))
            if let cursor = request.cursor { body.member("cursor", cursor) }
        }
        return writer.bytes
    }
}
