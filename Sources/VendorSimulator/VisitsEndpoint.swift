import EventModel
import Foundation
import InboundHTTP
import Synchronization

/// `POST /api/v3/visitor/list-visit-by-time-asc`: the world of visits behind one lock.
final class VisitsEndpoint: Sendable {
    static let path = "/api/v3/visitor/list-visit-by-time-asc"

    private struct State {
        var world: SimulatedVisits
        var brokenRows = 0
    }

    private let door: TanmaDoor
    private let state: Mutex<State>

    init(_ door: TanmaDoor, start: Timestamp) {
        self.door = door
        let options = door.options
        let plan = SimulatedVisits.Plan(
            seed: options.seed, start: start, rows: options.rows, spread: options.spread, rate: options.rate,
            limit: options.limit, late: options.late, revise: options.revise)
        let world = SimulatedVisits(plan, sample: options.includeSample ? VendorSample.visits : [])
        state = Mutex(State(world: world))
    }

    func truth(at instant: Timestamp) -> [TrueVisit] {
        state.withLock { $0.world.truth(at: instant) }
    }

    func serve(_ request: InboundRequest) -> TanmaDoor.Reply {
        door.serve(request, at: Self.path) { instant, line throws(Refusal) in
            let query = try VisitsQuery(body: request.body, maxPageSize: door.options.maxPageSize)
            line.window = .init(since: query.since, before: query.before, size: query.size)
            return page(query, at: instant, &line)
        }
    }

    private func page(
        _ query: VisitsQuery, at instant: Timestamp, _ line: inout SimulatedRequest
    ) -> HTTPAnswer {
        let fault = line.fault
        let lastCursor = door.options.lastCursor
        let (body, rows) = state.withLock { state in
            state.world.advance(to: instant)
            var (rows, hasMore) = state.world.page(query, size: query.size, at: instant)
            var page = PageWriter(world: state.world, rows: rows.count, instant: instant)
            if fault == .malformedRow {
                // The broken row takes the last one's place on a full page: a page is never longer than asked
                // for.
                if rows.count == query.size, rows.count > 1 {
                    rows.removeLast()
                    hasMore = true
                }
                page.broken = (state.brokenRows, rows.first?.second ?? query.since.seconds)
                state.brokenRows += 1
            }
            page.write(rows, cursor: Self.nextCursor(rows, hasMore, query, lastCursor))
            if fault == .malformedPage { page.cut() }
            return (page.bytes, rows.count)
        }
        line.rows = rows
        door.served(rows, fault: fault)
        return TanmaDoor.json(body)
    }

    private static func nextCursor(
        _ rows: [VisitRecord], _ hasMore: Bool, _ query: VisitsQuery, _ last: SimulatorOptions.LastCursor
    ) -> PageWriter.NextCursor {
        let cursor = rows.last.map { TanmaCursor($0).text }
        if hasMore { return .value(cursor) }
        switch last {
        case .null: return .value(nil)
        case .absent: return .absent
        case .same: return .value(cursor ?? query.cursorText)
        }
    }
}

/// The vendor's own sample reply.
enum VendorSample {
    static let reply = PackageResources.tanma_visits_response_json

    static let visits: [SimulatedVisit] = {
        struct Reply: Decodable {
            struct Page: Decodable { let list: [SimulatedVisit] }
            let data: Page
        }
        do {
            return try JSONDecoder().decode(Reply.self, from: Data(reply)).data.list
        } catch {
            preconditionFailure("the embedded sample reply is not what it was: \(error)")
        }
    }()
}
