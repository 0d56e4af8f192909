import EventModel
import InboundHTTP
import Persisting
import Ports
import Publishing
import Services

/// The log over HTTP: pages, single events, the stream.
struct FeedRoutes: Sendable {
    let log: EventLog
    let readers: ReaderPool
    let book: SubscriptionBook
    let hub: StreamHub
    let stopSignal: StopSignal
    let timekeeper: any Timekeeper

    private static let longestWait: Duration = .seconds(60)
    private static let maxBytes = 8 << 20

    var routes: [Route] {
        [
            Route(
                method: "GET", path: "/v1/events", scope: .read,
                query: ["after", "since", "types", "accounts", "subject", "limit", "wait"], handle: page),
            Route(method: "GET", path: "/v1/events/{id}", scope: .read, handle: event),
            Route(
                method: "GET", path: "/v1/events/stream", scope: .read,
                query: ["after", "since", "types", "accounts", "subject"], type: "text/event-stream",
                handle: stream),
        ]
    }

    // MARK: - Pages

    @Sendable private func page(_ call: Call) async throws(Problem) -> Reply {
        let filter = try call.query.filter()
        let limit = Int(try call.query.integer("limit", in: 1...1000) ?? 100)
        let wait = try call.query.duration("wait", atMost: Self.longestWait) ?? .zero
        let asked = try call.query.integer("after", in: 0...Int64.max)
        let since = try call.query.time("since")
        let reader = readers.next()
        var after = try await beginning(asked, since, reader)
        let until = timekeeper.elapsed + wait
        while true {
            let from = after
            let page = try await stored { () async throws(LogError) in
                try await reader.page(after: from, filter, limit: limit, maxBytes: Self.maxBytes)
            }
            try require(after, page, isAsked: asked != nil)
            let isAtHead = page.next >= page.head
            let left = until - timekeeper.elapsed
            if page.count > 0 || left <= .zero || stopSignal.isStopped { return reply(page) }
            after = page.next
            if isAtHead { await news(after: after, within: left) }
        }
    }

    /// The offset after which to begin.
    private func beginning(
        _ asked: Int64?, _ since: Timestamp?, _ reader: LogReader
    ) async throws(Problem) -> Int64 {
        var after = asked
        if let since {
            let first = try await stored { () async throws(LogError) in
                try await reader.offset(recordedSince: since)
            }
            after = max(first - 1, asked ?? 0)
        }
        if let after { return after }
        let page = try await stored { () async throws(LogError) in
            try await reader.page(after: .max, EventFilter(), limit: 1, maxBytes: 1)
        }
        return page.oldest - 1
    }

    /// Refuses what is not in the log any more, and what is not in this log at all.
    private func require(_ after: Int64, _ page: FeedPage, isAsked: Bool) throws(Problem) {
        if after > max(page.head, log.head) {
            throw beyond(head: page.head)
        }
        if isAsked, after + 1 < page.oldest { throw gone(oldest: page.oldest) }
    }

    private func gone(oldest: Int64) -> Problem {
        var problem = Problem(
            410, "offset-expired", "Offset expired", "after: the log begins at offset \(oldest).",
            field: "after")
        problem.numbers = [("oldest", oldest)]
        return problem
    }

    private func beyond(head: Int64) -> Problem {
        var problem = Problem(
            409, "offset-beyond-head", "Offset beyond the head",
            "after: the newest event has offset \(head); a position beyond it belongs to another log.",
            field: "after")
        problem.numbers = [("head", head)]
        problem.logID = log.logID
        return problem
    }

    private func reply(_ page: FeedPage) -> Reply {
        let tail =
            "],\"next_after\":\(page.next),\"head\":\(max(page.head, page.next)),\"log_id\":\"\(log.logID)\"}"
        var body: [UInt8] = []
        body.reserveCapacity(page.events.count + 160)
        body += Array("{\"items\":[".utf8)
        body += page.events
        body += Array(tail.utf8)
        return .json(body)
    }

    /// Returns at the next event, when the time is over, or when the relay stops.
    private func news(after offset: Int64, within left: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.waitForEvent(after: offset) }
            group.addTask { await stopSignal.wait() }
            group.addTask {
                do throws(CancellationError) { try await timekeeper.sleep(for: left) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: - One event

    @Sendable private func event(_ call: Call) async throws(Problem) -> Reply {
        guard let id = EventID(text: call.path["id"] ?? "") else {
            throw .notFound("id: an event's id is evt_ and 26 characters.")
        }
        let reader = readers.next()
        let event = try await stored { () async throws(LogError) in try await reader.event(id: id) }
        guard let event else { throw .notFound("There is no such event in the log.") }
        let fates = try await booked { () async throws(BookError) in try await book.fates(of: event) }
        return .object { object in
            object.key("event")
            object.raw(event.body)
            object.array("subscriptions") { array in
                for (view, fate) in fates {
                    array.object { subscription in
                        subscription.member("id", view.id)
                        subscription.member("name", view.subscription.name)
                        subscription.member("state", fate.rawValue)
                    }
                }
            }
        }
    }

    // MARK: - The stream

    @Sendable private func stream(_ call: Call) async throws(Problem) -> Reply {
        let order = StreamOrder(after: try await streamStart(call), filter: try call.query.filter())
        return .stream(order)
    }

    /// `Last-Event-ID` is where a client that reconnects stands: it is later than what its address says.
    private func streamStart(_ call: Call) async throws(Problem) -> Int64 {
        let last = try lastEventID(call.request)
        let written = try call.query.integer("after", in: 0...Int64.max)
        let asked = last ?? written
        let since = last == nil ? try call.query.time("since") : nil
        guard asked != nil || since != nil else { return log.head }
        let reader = readers.next()
        let after = try await beginning(asked, since, reader)
        let page = try await stored { () async throws(LogError) in
            try await reader.page(after: .max, EventFilter(), limit: 1, maxBytes: 1)
        }
        try require(after, page, isAsked: asked != nil)
        return after
    }

    private func lastEventID(_ request: InboundRequest) throws(Problem) -> Int64? {
        guard let text = request.headers["last-event-id"], !text.isEmpty else { return nil }
        guard let offset = Int64(text), offset >= 0 else {
            throw .invalid("Last-Event-ID", "is not an offset")
        }
        return offset
    }
}

/// Connections that read for the API beside the writer: a few, taken in turn.
final class ReaderPool: Sendable {
    private let readers: [LogReader]
    private let turn = Turn()

    init(path: String, count: Int) throws(LogError) {
        var readers: [LogReader] = []
        for _ in 0..<count { readers.append(try LogReader(path: path)) }
        self.readers = readers
    }

    func next() -> LogReader {
        readers[turn.next(of: readers.count)]
    }
}
