import EventModel
import InboundHTTP
import Persisting
import Ports
import Publishing
import Replaying
import Services

/// Replays: a range of the log once more, to a subscription or to Kafka.
struct ReplayRoutes: Sendable {
    let log: EventLog
    let book: SubscriptionBook
    let replays: ReplayKeeper
    /// Whether a topic, or a template of one, is legal; nil where there is no Kafka.
    let isTopic: (@Sendable (String) -> Bool)?
    let timekeeper: any Timekeeper
    let randomBytes: @Sendable (Int) -> [UInt8]

    var routes: [Route] {
        [
            Route(
                method: "GET", path: "/v1/replays", scope: .read, query: ["cursor", "limit"], handle: list),
            Route(method: "POST", path: "/v1/replays", scope: .write, handle: create),
            Route(method: "GET", path: "/v1/replays/{id}", scope: .read, handle: show),
            Route(method: "DELETE", path: "/v1/replays/{id}", scope: .write, handle: remove),
        ]
    }

    // MARK: - Looking

    @Sendable private func list(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let all = try await stored { () async throws(LogError) in try await replays.list() }
        // The newest first: what is made meanwhile must not shift what follows, so it is counted from the oldest.
        let items = all.enumerated().map { (number: Int64(all.count - $0.offset), replay: $0.element) }
            .filter { $0.number < page.cursor ?? .max }
        return page.reply(items, number: \.number) { item, object in item.replay.write(&object) }
    }

    @Sendable private func show(_ call: Call) async throws(Problem) -> Reply {
        let all = try await stored { () async throws(LogError) in try await replays.list() }
        guard let replay = all.first(where: { $0.id == call.path["id"] }) else { throw Self.missing }
        return .object { replay.write(&$0) }
    }

    private static let missing = Problem.notFound("There is no such replay.")

    // MARK: - Changing

    @Sendable private func create(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(
            call.request, known: ["to", "from", "until", "types", "rate", "topic"])
        let record = try await order(body, by: call.caller.name)
        do {
            try await replays.submit(record)
        } catch let error as LogError {
            throw Problem(error)
        } catch {
            throw .conflict("As many replays run as may.")
        }
        return .object(status: 201, headers: ["Location": "/v1/replays/\(record.id)"]) { record.write(&$0) }
    }

    private func order(_ body: Body, by who: String) async throws(Problem) -> ReplayRecord {
        let target = try await target(body)
        guard let from = try body.start("from", words: ["beginning"]) else {
            throw body.wrong(
                "from",
                "is missing; allowed: beginning, an offset from 1, or a time like 2026-11-01T00:00:00Z")
        }
        let head = log.head
        let first = try await offset(from, head)
        guard first <= head + 1 else {
            throw .conflict("from: the newest event has offset \(head).", field: "from")
        }
        let end = body.isNull("until") ? nil : try body.start("until", words: [])
        var until = head + 1
        if let end { until = min(until, try await offset(end, head)) }
        if let end, case .offset(let asked) = end, asked <= first {
            throw .conflict("until: is not after from.", field: "until")
        }
        return ReplayRecord(
            id: "rpl_" + EventID(time: timekeeper.now, digest: randomBytes(10)).text.dropFirst(4),
            target: target.id, first: first, until: max(first, until), types: try types(body),
            rate: body.isNull("rate")
                ? target.rate : try body.number("rate", in: 0.001...1_000_000) ?? target.rate,
            topic: try topic(body, target.id), who: who, created: timekeeper.now)
    }

    /// Where it goes, and how fast at most unless the body says: half of what the subscription may get, the rest is the
    /// live flow's.
    private func target(_ body: Body) async throws(Problem) -> (id: String, rate: Double?) {
        let to = try body.required("to")
        if to == "kafka" {
            guard isTopic != nil else { throw .conflict("to: the configuration has no kafka.", field: "to") }
            return (to, nil)
        }
        do throws(BookError) {
            let view = try await book.find(to)
            return (view.id, view.subscription.rate.map { $0 / 2 })
        } catch {
            guard error.kind == .notFound else { throw Problem(error) }
            throw .notFound("to: is neither kafka nor a subscription's id or name.", field: "to")
        }
    }

    private func offset(_ start: SinkStart, _ head: Int64) async throws(Problem) -> Int64 {
        switch start {
        case .offset(let offset): return offset
        case .now: return head + 1
        case .beginning:
            return try await stored { () async throws(LogError) in
                try await log.offset(recordedSince: Timestamp(milliseconds: 0))
            }
        case .time(let time):
            return try await stored { () async throws(LogError) in try await log.offset(recordedSince: time) }
        }
    }

    private func types(_ body: Body) throws(Problem) -> [NamePattern] {
        let all = [NamePattern("*")].compactMap { $0 }
        guard !body.isNull("types"), let types = try body.patterns("types") else { return all }
        guard !types.isEmpty else { throw body.wrong("types", "is an empty list") }
        return types
    }

    private func topic(_ body: Body, _ target: String) throws(Problem) -> String? {
        guard !body.isNull("topic"), let topic = try body.text("topic") else { return nil }
        guard target == "kafka", let isTopic else {
            throw .conflict("topic: is for replays to kafka.", field: "topic")
        }
        guard isTopic(topic) else {
            throw body.wrong(
                "topic",
                "is not a topic; allowed: letters, digits, . _ - and {entity} {type} {account} {vendor}")
        }
        return topic
    }

    @Sendable private func remove(_ call: Call) async throws(Problem) -> Reply {
        let removed = try await stored { () async throws(LogError) in
            try await replays.remove(call.path["id"] ?? "", by: call.caller.name)
        }
        guard let removed else { throw Self.missing }
        return .object { removed.write(&$0) }
    }
}

extension ReplayRecord {
    fileprivate func write(_ object: inout JSONWriter) {
        object.member("id", id)
        object.member("to", target)
        object.member("state", state.rawValue)
        object.member("from", first)
        object.member("until", until)
        object.array("types") { array in types.forEach { array.string($0.text) } }
        object.member("rate", rate)
        object.member("topic", topic)
        object.member("position", position)
        object.member("percent", events == 0 ? 100 : (position - first + 1) * 100 / events)
        object.member("events", events)
        object.member("delivered", delivered)
        object.member("filtered", filtered)
        object.member("dead", dead)
        object.member("expired", expired)
        object.member("pending", pending)
        object.member("created_by", who)
        object.member("created_at", created.rfc3339Milliseconds)
        object.member("finished_at", finished?.rfc3339Milliseconds)
        object.member("failure", failure)
    }
}
