import EventModel
import InboundHTTP
import Persisting
import Ports
import Publishing
import Services

/// Webhook subscriptions: what there is, and everything that can be done to one.
struct SubscriptionRoutes: Sendable {
    let book: SubscriptionBook
    let timekeeper: any Timekeeper

    private static let path = "/v1/subscriptions"

    var routes: [Route] {
        [
            Route(method: "GET", path: Self.path, scope: .read, query: ["cursor", "limit"], handle: list),
            Route(method: "POST", path: Self.path, scope: .write, handle: create),
            Route(method: "GET", path: Self.path + "/{id}", scope: .read, handle: show),
            Route(method: "PATCH", path: Self.path + "/{id}", scope: .write, handle: change),
            Route(method: "DELETE", path: Self.path + "/{id}", scope: .write, handle: remove),
            action("rotate-secret", rotate), action("pause", pause), action("resume", resume),
            action("test", test), action("reset", reset),
            Route(
                method: "GET", path: Self.path + "/{id}/attempts", scope: .read, query: ["cursor", "limit"],
                handle: attempts),
            Route(
                method: "GET", path: Self.path + "/{id}/backlog", scope: .read, query: ["cursor", "limit"],
                handle: backlog),
        ]
    }

    private func action(
        _ name: String, _ handle: @escaping @Sendable (Call) async throws(Problem) -> Reply
    ) -> Route {
        Route(method: "POST", path: "\(Self.path)/{id}/\(name)", scope: .write, handle: handle)
    }

    private func id(_ call: Call) -> String { call.path["id"] ?? "" }

    // MARK: - Looking

    @Sendable private func list(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let all = try await booked { () async throws(BookError) in try await book.list() }
        let items = all.enumerated().map { (number: Int64($0.offset + 1), view: $0.element) }
            .filter { $0.number > page.cursor ?? 0 }
        return page.reply(items, number: \.number) { item, object in item.view.write(&object) }
    }

    @Sendable private func show(_ call: Call) async throws(Problem) -> Reply {
        let view = try await booked { () async throws(BookError) in try await book.find(id(call)) }
        return .object { view.write(&$0) }
    }

    /// A cursor is the time of the last one seen and how many of that millisecond were.
    @Sendable private func attempts(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let (time, seen) = page.cursor.map { ($0 / 10_000, Int($0 % 10_000)) } ?? (Int64.max, 0)
        let found = try await booked { () async throws(BookError) in
            try await book.attempts(
                id(call), until: Timestamp(milliseconds: time), limit: page.limit + seen + 1)
        }
        let items = found.dropFirst(seen)
        let shown = items.prefix(page.limit)
        let next = shown.last.map { last in
            let ties = found.prefix(seen + shown.count).reversed().prefix { $0.time == last.time }.count
            return last.time.milliseconds * 10_000 + Int64(min(ties, 9999))
        }
        return .object { object in
            object.array("items") { array in shown.forEach { attempt in array.object { attempt.write(&$0) } }
            }
            object.member("next_cursor", items.count > page.limit ? next.map { String($0) } : nil)
        }
    }

    @Sendable private func backlog(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let account = try await booked { () async throws(BookError) in try await book.backlog(id(call)) }
        let waiting = try await booked { () async throws(BookError) in
            try await book.waiting(id(call), after: page.cursor ?? 0, limit: page.limit + 1)
        }
        let shown = waiting.prefix(page.limit)
        let now = timekeeper.now
        return .object { object in
            StatusView.Sink(account, now: now).write(&object)
            object.array("items") { array in shown.forEach { row in array.object { row.write(&$0) } } }
            object.member(
                "next_cursor", waiting.count > page.limit ? shown.last.map { String($0.offset) } : nil)
        }
    }

    // MARK: - Changing

    @Sendable private func create(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(
            call.request, known: SubscriptionReading.fields + ["from", "secret", "secrets"])
        var subscription = SubscriptionReading.fresh
        _ = try body.required("url")
        try SubscriptionReading(body).apply(to: &subscription)
        subscription.secrets = try secrets(body)
        let start = body.isNull("from") ? .now : try body.start("from", words: ["now", "beginning"]) ?? .now
        let wanted = subscription
        let made = try await booked { () async throws(BookError) in
            try await book.create(wanted, from: start, by: call.caller.name)
        }
        return .object(status: 201, headers: ["Location": "\(Self.path)/\(made.view.id)"]) { object in
            made.view.write(&object)
            object.member("secret", made.secret.reveal())
        }
    }

    private func secrets(_ body: Body) throws(Problem) -> [Subscription.SigningSecret] {
        let one = body.isNull("secret") ? nil : try body.text("secret")
        let several = body.isNull("secrets") ? nil : try body.texts("secrets")
        if one != nil, several != nil { throw body.wrong("secrets", "stands beside secret: one of them") }
        if let several, !(1...16).contains(several.count) {
            throw body.wrong("secrets", "is not a list of 1 to 16 secrets")
        }
        return (several ?? one.map { [$0] } ?? []).map { Subscription.SigningSecret(Secret($0)) }
    }

    @Sendable private func change(_ call: Call) async throws(Problem) -> Reply {
        guard !call.request.body.isEmpty else {
            throw Problem(
                400, "malformed-body", "Malformed body", "The body is missing: an object of what changes.")
        }
        let body = try Body(call.request, known: SubscriptionReading.fields)
        let reading = SubscriptionReading(body)
        // Refused before anything is asked of the engine: a half-read body changes nothing.
        var draft = try await booked { () async throws(BookError) in try await book.find(id(call)) }
            .subscription
        try reading.apply(to: &draft)
        let view = try await booked { () async throws(BookError) in
            try await book.change(id(call), by: call.caller.name) { subscription in
                do throws(Problem) {
                    try reading.apply(to: &subscription)
                } catch {
                    preconditionFailure("what could be read once can be read again")
                }
            }
        }
        return .object { view.write(&$0) }
    }

    @Sendable private func remove(_ call: Call) async throws(Problem) -> Reply {
        try await booked { () async throws(BookError) in
            try await book.remove(id(call), by: call.caller.name)
        }
        return .nothing
    }

    @Sendable private func rotate(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(call.request, known: ["overlap", "secret"])
        let overlap = try body.duration("overlap") ?? .seconds(86_400)
        let given = try body.text("secret").map { Secret($0) }
        let secret = try await booked { () async throws(BookError) in
            try await book.rotateSecret(id(call), to: given, overlap: overlap, by: call.caller.name)
        }
        let end = timekeeper.now + overlap
        return .object { object in
            object.member("secret", secret.reveal())
            object.member("previous_valid_until", end.rfc3339Milliseconds)
        }
    }

    // MARK: - Flow

    @Sendable private func pause(_ call: Call) async throws(Problem) -> Reply {
        _ = try Body(call.request, known: [])
        try await booked { () async throws(BookError) in
            try await book.pause(id(call), by: call.caller.name)
        }
        return try await show(call)
    }

    @Sendable private func resume(_ call: Call) async throws(Problem) -> Reply {
        _ = try Body(call.request, known: [])
        try await booked { () async throws(BookError) in
            try await book.resume(id(call), by: call.caller.name)
        }
        return try await show(call)
    }

    @Sendable private func reset(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(call.request, known: ["to"])
        guard let start = try body.start("to", words: ["now", "beginning"]) else {
            throw body.wrong("to", "is missing")
        }
        try await booked { () async throws(BookError) in
            try await book.reset(id(call), to: start, by: call.caller.name)
        }
        return try await show(call)
    }

    @Sendable private func test(_ call: Call) async throws(Problem) -> Reply {
        _ = try Body(call.request, known: [])
        let attempt = try await booked { () async throws(BookError) in try await book.test(id(call)) }
        return .object { attempt.write(&$0) }
    }
}

/// The book as the API tells of it.
func booked<T>(_ body: () async throws(BookError) -> T) async throws(Problem) -> T {
    do throws(BookError) {
        return try await body()
    } catch {
        throw Problem(error)
    }
}

extension Problem {
    init(_ error: BookError) {
        switch error.kind {
        case .notFound: self = .notFound("There is no such subscription.")
        case .readOnly:
            self = .conflict("The subscription belongs to the configuration; it is changed there.")
        case .nameTaken: self = .conflict("name: \(error.cause).", field: "name")
        case .inconsistent: self = .conflict("\(error.field ?? ""): \(error.cause).", field: error.field)
        case .noLetter: self = .notFound("\(error.field ?? ""): \(error.cause).", field: error.field)
        case .invalid: self = .unprocessable(error.field ?? "", error.cause)
        case .unreadable: self = .conflict("The subscription was written by a newer version.")
        case .stopped, .storage:
            self.init(
                503, "unavailable", "Unavailable",
                error.kind == .stopped ? "The relay is stopping." : "The store cannot be used at the moment.")
            headers.append("Retry-After", "5")
        }
    }
}

extension RetryRow {
    fileprivate func write(_ object: inout JSONWriter) {
        object.member("offset", offset)
        object.member("events", Int64(count))
        object.member("attempts", Int64(attempts))
        object.member("next_attempt_at", due.rfc3339Milliseconds)
        object.member("first_failed_at", firstFailed.rfc3339Milliseconds)
        object.member("status", status.map(Int64.init))
        object.member("reason", reason)
    }
}
