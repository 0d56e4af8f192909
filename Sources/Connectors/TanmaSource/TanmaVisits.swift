package import EventModel
import Foundation
package import Ports
import RowDecoding
package import Services

/// `tanma.visits`: `POST /api/v3/visitor/list-visit-by-time-asc`.
///
/// Reads closed windows; `VisitPaging` decides page by page, this type asks, looks and hands over.
package struct TanmaVisits: WindowSource {
    package let kind = SourceKind.visits
    private let client: TanmaClient
    private let pageSize: Int
    private let sourceName: String
    private let logger: Logger

    static let path = "/api/v3/visitor/list-visit-by-time-asc"

    package init(_ client: TanmaClient, sourceName: String, pageSize: Int, logger: Logger) {
        (self.client, self.sourceName, self.pageSize, self.logger) = (client, sourceName, pageSize, logger)
    }

    package nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        let doing = "read visits from \(window.from.rfc3339) to \(window.to.rfc3339)"
        var paging = VisitPaging(window, pageSize: pageSize)
        var step = VisitPaging.Step.next(paging.request)
        while case .next(let request) = step {
            let wasRisked = paging.riskedSecond
            do throws(SourceError) {
                let reply = try await client.post(
                    Self.path, body: Self.body(request, before: window.to), doing: doing)
                try await store(Page(rows: reply.rows, vendorTime: reply.vendorTime))
                step = paging.received(try Self.look(at: reply, of: window, doing: doing))
            } catch {
                // A vendor may refuse a large page with a code of its own: its window must not fail for ever.
                guard case .code = error.kind, let other = paging.largerPageRefused() else { throw error }
                step = other
            }
            if let second = paging.riskedSecond, second != wasRisked { alarm(second) }
        }
        if case .loop(let cause) = step { throw SourceError(.malformed, doing: doing, cause: cause) }
    }

    /// The vendor neither grants a larger page nor tells rows of one second apart: nothing more can be done from here.
    private func alarm(_ second: Timestamp) {
        logger.error(
            "rows of one second may be missing",
            [
                .source: .text(sourceName), .from: .text(second.rfc3339),
                .reason:
                    "the vendor gives no larger page and its cursor cannot tell rows of one second apart",
            ])
    }

    static func body(_ request: VisitPaging.Request, before: Timestamp) -> [UInt8] {
        var writer = JSONWriter(reserving: 160)
        writer.object { body in
            body.member("since", request.since.chinaText)
            body.member("before", before.chinaText)
            body.member("size", Int64(request.size))
            if let cursor = request.cursor {
                body.member("cursor", cursor)
            }
        }
        return writer.bytes
    }

    /// Pages ascend, so their last readable row tells how far they reach. Rows outside the asked window are stored like
    /// all others, but lead nowhere: one wrong date must not end the window.
    private static func look(
        at reply: TanmaReply, of window: Window, doing: String
    ) throws(SourceError) -> VisitPaging.Reply {
        var lastSecond: Timestamp?
        var isAstray = false
        for row in reply.rows.reversed() {
            guard let second = second(row) else { continue }
            isAstray = second < window.from || second >= window.to
            if isAstray { continue }
            lastSecond = second
            break
        }
        if lastSecond == nil, isAstray {
            throw SourceError(
                .malformed, doing: doing, cause: "all rows of a page lie outside the asked window")
        }
        return VisitPaging.Reply(count: reply.rows.count, lastSecond: lastSecond, cursor: reply.nextCursor)
    }

    /// The second a row lies in; nil for a row that cannot be read, which says nothing about its page.
    private static func second(_ row: [UInt8]) -> Timestamp? {
        do throws(RowError) {
            return try VendorRow<TimeKey>.read(row).text(.visitTime).flatMap(Timestamp.init(chinaText:))
        } catch {
            return nil
        }
    }

    private enum TimeKey: String, CodingKey { case visitTime }
}
