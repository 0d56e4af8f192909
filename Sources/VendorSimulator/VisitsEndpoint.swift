import EventModel
import Foundation
import InboundHTTP
import Synchronization

/// `POST /api/v3/visitor/list-visit-by-time-asc`: the world, its faults and its counts behind one lock.
final class VisitsEndpoint: Sendable {
    static let path = "/api/v3/visitor/list-visit-by-time-asc"

    /// What the server is to do with a request.
    enum Reply: Sendable {
        case answer(HTTPAnswer, after: Duration?)
        case drop
    }

    private struct State {
        var world: SimulatedVisits
        var dice: FaultDice
        var statistics = SimulatorStatistics()
        var brokenRows = 0
    }

    private let options: SimulatorOptions
    private let access: TanmaAccess
    private let now: @Sendable () -> Timestamp
    private let state: Mutex<State>

    init(_ options: SimulatorOptions, now: @escaping @Sendable () -> Timestamp) {
        (self.options, self.now) = (options, now)
        access = TanmaAccess(appID: options.appID, appKey: options.appKey)
        let plan = SimulatedVisits.Plan(
            seed: options.seed, start: now(), rows: options.rows, spread: options.spread, rate: options.rate,
            limit: options.limit, late: options.late, revise: options.revise)
        let world = SimulatedVisits(plan, sample: options.includeSample ? VendorSample.visits : [])
        state = Mutex(State(world: world, dice: FaultDice(options.faults, seed: options.seed)))
    }

    var statistics: SimulatorStatistics { state.withLock { $0.statistics } }

    func truth(at instant: Timestamp) -> [TrueVisit] {
        state.withLock { $0.world.truth(at: instant) }
    }

    func serve(_ request: InboundRequest) -> Reply {
        let fault = state.withLock { state in
            state.statistics.requests[Self.path, default: 0] += 1
            return state.dice.next()
        }
        var line = SimulatedRequest(endpoint: Self.path, fault: fault)
        defer { options.requestLog?(line) }
        switch fault {
        case .drop:
            count(fault)
            line.status = nil
            return .drop
        case .status500:
            count(fault)
            line.status = 500
            return .answer(
                HTTPAnswer(
                    status: 500, headers: ["Content-Type": "text/html"], body: bytes("<html>500</html>")),
                after: nil)
        case .throttle:
            count(fault)
            line.status = 429
            return .answer(HTTPAnswer(status: 429, headers: ["Retry-After": "1"]), after: nil)
        case .code:
            count(fault)
            return .answer(refuse(.exception, &line), after: nil)
        case .none, .slow, .malformedRow, .malformedPage:
            let answer = answer(request, &line)
            if fault == .slow { count(fault) }
            return .answer(answer, after: fault == .slow ? options.faults.slowDelay : nil)
        }
    }

    private func answer(_ request: InboundRequest, _ line: inout SimulatedRequest) -> HTTPAnswer {
        let instant = now()
        if let refusal = access.refusal(of: request, now: instant) { return refuse(refusal, &line) }
        do throws(Refusal) {
            let query = try VisitsQuery(body: request.body, maxPageSize: options.maxPageSize)
            line.window = .init(since: query.since, before: query.before, size: query.size)
            return page(query, at: instant, &line)
        } catch {
            return refuse(error, &line)
        }
    }

    private func page(
        _ query: VisitsQuery, at instant: Timestamp, _ line: inout SimulatedRequest
    ) -> HTTPAnswer {
        let fault = line.fault
        let lastCursor = options.lastCursor
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
            if fault == .malformedRow || fault == .malformedPage {
                state.statistics.faults[fault, default: 0] += 1
            }
            state.statistics.rowsServed += rows.count
            return (page.bytes, rows.count)
        }
        line.rows = rows
        return Self.json(body)
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

    private func refuse(_ refusal: Refusal, _ line: inout SimulatedRequest) -> HTTPAnswer {
        line.code = refusal.code
        state.withLock { state in
            switch refusal {
            case .signature: state.statistics.signatureRefusals += 1
            case .clock: state.statistics.clockRefusals += 1
            case .parameter: state.statistics.parameterRefusals += 1
            case .exception: break
            }
        }
        return Self.json(Self.envelope(refusal.code, refusal.message))
    }

    private func count(_ fault: Fault) {
        state.withLock { $0.statistics.faults[fault, default: 0] += 1 }
    }

    /// A reply without a payload.
    static func envelope(_ code: Int64, _ message: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.object { reply in
            reply.key("code")
            reply.integer(code)
            reply.key("message")
            reply.string(message)
            reply.key("data")
            reply.null()
        }
        return writer.bytes
    }

    static func json(_ body: [UInt8], status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(
            status: status, headers: ["Content-Type": "application/json;charset=UTF-8"], body: body)
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
