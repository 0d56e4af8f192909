import EventModel
import Persisting
import Ports

@testable import InboundHTTP
@testable import OutboundHTTP
@testable import Publishing
@testable import Serving
@testable import WebhookSink

/// What comes over HTTP: from those who ask the relay, and from those it delivers to.
extension FuzzTarget {
    static func requests(_ input: [UInt8]) {
        let line = input.prefix { $0 != UInt8(ascii: "\n") }
        let request = InboundRequest(
            method: "POST", target: String(decoding: line, as: UTF8.self),
            headers: ["content-type": "application/json"], body: Array(input.dropFirst(line.count + 1)))
        allowed { () throws(Problem) in try query(request) }
        allowed { () throws(Problem) in try subscription(request) }
        allowed { () throws(Problem) in
            let body = try Body(request, known: ["from", "until", "ids", "overlap", "types"])
            allowed { () throws(Problem) in _ = try body.start("from", words: ["now", "beginning"]) }
            allowed { () throws(Problem) in _ = try body.time("until") }
            allowed { () throws(Problem) in _ = try body.integers("ids", atMost: 100) }
            allowed { () throws(Problem) in _ = try body.duration("overlap") }
            allowed { () throws(Problem) in _ = try body.patterns("types") }
        }
    }

    private static func query(_ request: InboundRequest) throws(Problem) {
        let query = try Query(
            request.query,
            known: ["cursor", "limit", "after", "wait", "since", "types", "accounts", "subject"])
        allowed { () throws(Problem) in
            let page = try ListPage(query)
            check((1...1000).contains(page.limit) && page.cursor ?? 0 >= 0, "a page beyond its bounds")
        }
        allowed { () throws(Problem) in _ = try query.integer("after", in: 0...Int64.max) }
        allowed { () throws(Problem) in
            let wait = try query.duration("wait", atMost: .seconds(60))
            check(wait ?? .zero <= .seconds(60), "a longer wait than is allowed")
        }
        allowed { () throws(Problem) in _ = try query.time("since") }
        allowed { () throws(Problem) in _ = try query.filter() }
    }

    /// What is accepted can be kept, and what it says of waiting can be waited for.
    private static func subscription(_ request: InboundRequest) throws(Problem) {
        var subscription = SubscriptionReading.fresh
        try SubscriptionReading(try Body(request, known: SubscriptionReading.fields)).apply(to: &subscription)
        do throws(BookError) { try SubscriptionRules.check(subscription) } catch { return }
        _ = subscription.stored
        for attempt in [1, 2, 40] {
            _ = subscription.retry.wait(afterAttempts: attempt, since: .seconds(60), draw: 1)
        }
        if let rate = subscription.rate { pace(rate) }
    }

    static func answers(_ text: String) {
        var headers: [(name: String, value: String)] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers.append((parts[0].lowercased(), parts[1].drop { $0 == " " }.description))
        }
        for status in [200, 429, 503] {
            let response = OutboundResponse(status: status, headers: headers, body: Array(text.utf8))
            let result = WebhookAnswer.judge(.success(response), now: now)
            check(result.retryAfter ?? .zero >= .zero, "a wait below nothing")
            let consent = WebhookAnswer.consent(.success(response), origin: "acme", now: now)
            if case .granted(let perMinute?) = consent { pace(perMinute / 60) }
        }
    }

    private static func pace(_ perSecond: Double) {
        var pace = Pace(perSecond: perSecond)
        for second in 0..<3 {
            let wait = pace.wait(at: .seconds(second))
            check(wait >= .zero, "a wait below nothing")
            pace.took(at: .seconds(second))
        }
    }

    /// Refused is as good as taken, as long as it says which field is meant.
    private static func allowed(_ body: () throws(Problem) -> Void) {
        do throws(Problem) {
            try body()
        } catch {
            check((400...499).contains(error.status), "what a client sent is the server's fault")
        }
    }
}
