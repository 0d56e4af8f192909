import EventModel
import InboundHTTP
import Persisting
import Publishing

/// What was given up, and sending it again.
struct DeadLetterRoutes: Sendable {
    let book: SubscriptionBook

    var routes: [Route] {
        [
            Route(
                method: "GET", path: "/v1/dead-letters", scope: .read,
                query: ["subscription", "cursor", "limit"], handle: list),
            Route(method: "POST", path: "/v1/dead-letters/redrive", scope: .write, handle: redrive),
        ]
    }

    @Sendable private func list(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let letters = try await booked { () async throws(BookError) in
            try await book.deadLetters(
                of: call.query.text("subscription"), after: page.cursor ?? 0, limit: page.limit + 1)
        }
        let views = try await booked { () async throws(BookError) in try await book.list() }
        let names = Dictionary(views.map { ($0.record.sink, $0) }) { first, _ in first }
        return page.reply(letters, number: \.id) { letter, object in
            object.member("id", letter.id)
            object.member("sink", letter.sink)
            object.member("subscription", names[letter.sink]?.id)
            object.member("subscription_name", names[letter.sink]?.subscription.name)
            letter.write(&object)
        }
    }

    private static let forms = "is given: ids, or subscription, or since, or subscription and since"

    @Sendable private func redrive(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(call.request, known: ["ids", "subscription", "since"])
        let ids = try body.integers("ids", atMost: 1000)
        let subscription = try body.text("subscription")
        let since = body.has("since") ? try body.time("since") : nil
        guard ids != nil || subscription != nil || since != nil else {
            throw body.wrong("ids", "is missing: one of ids, subscription, since")
        }
        if ids != nil, subscription != nil || since != nil {
            throw body.wrong("ids", "stands beside subscription or since: \(Self.forms)")
        }
        let who = call.caller.name
        let moved = try await booked { () async throws(BookError) -> Int in
            if let ids { return try await book.redrive(ids: ids, by: who) }
            if let subscription { return try await book.redrive(subscription, since: since, by: who) }
            var moved = 0
            for view in try await book.list() {
                moved += try await book.redrive(view.id, since: since, by: who)
            }
            return moved
        }
        return .object { $0.member("redriven", Int64(moved)) }
    }
}

extension DeadLetterRecord {
    fileprivate func write(_ object: inout JSONWriter) {
        object.member("offset", letter.offset)
        object.member("event", event?.text)
        object.member("type", type)
        object.member("webhook_id", letter.webhookID)
        object.member("died_at", letter.died.rfc3339Milliseconds)
        object.member("attempts", Int64(letter.attempts))
        object.member("status", letter.status.map(Int64.init))
        object.member("reason", letter.reason)
        object.member("answer", String(decoding: letter.answer, as: UTF8.self))
    }
}
