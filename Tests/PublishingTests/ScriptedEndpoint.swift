import Dispatch
import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport

@testable import Publishing

/// A subscriber that answers by plan, from a thread of its own, as a transport does. Records what it was sent.
final class ScriptedEndpoint: Endpoint {
    typealias Plan = @Sendable (_ delivery: Delivery, _ attempt: Int) -> AttemptResult?

    struct Sent: Sendable, Equatable {
        let id: String
        let offsets: [Int64]
        let attempt: Int
    }

    private struct State {
        var sent: [Sent] = []
        var attempts: [String: Int] = [:]
        var hanging: [@Sendable (AttemptResult) -> Void] = []
        var underWay = 0
        var mostUnderWay = 0
        var consentAsked = 0
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "scripted-endpoint")
    private let plan: Plan
    private let consent: @Sendable (Int) -> Consent

    /// - Parameter plan: the answer to a delivery's n-th attempt, from 1; nil leaves it hanging.
    init(
        _ plan: @escaping Plan = { _, _ in .ok },
        consent: @escaping @Sendable (Int) -> Consent = { _ in .granted(perMinute: nil) }
    ) {
        (self.plan, self.consent) = (plan, consent)
    }

    var sent: [Sent] { state.withLock { $0.sent } }
    var offsets: [Int64] { sent.flatMap(\.offsets) }
    var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }
    var consentAsked: Int { state.withLock { $0.consentAsked } }
    var hangingCount: Int { state.withLock { $0.hanging.count } }

    func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void) {
        let (attempt, isAbandoned) = state.withLock { state in
            state.sent.append(
                Sent(id: delivery.id, offsets: delivery.events.map(\.offset), attempt: delivery.attempt))
            state.attempts[delivery.id, default: 0] += 1
            state.underWay += 1
            state.mostUnderWay = max(state.mostUnderWay, state.underWay)
            return (state.attempts[delivery.id] ?? 0, state.isAbandoned)
        }
        queue.async { [self] in
            let result = isAbandoned ? AttemptResult(.abandoned) : plan(delivery, attempt)
            state.withLock { state in
                if result == nil { state.hanging.append(done) } else { state.underWay -= 1 }
            }
            if let result { done(result) }
        }
    }

    func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void) {
        let asked = state.withLock { state in
            state.consentAsked += 1
            return state.consentAsked
        }
        queue.async { [consent] in done(consent(asked)) }
    }

    func abandon() {
        let hanging = state.withLock { state in
            state.isAbandoned = true
            defer { state.hanging = [] }
            return state.hanging
        }
        queue.async { for done in hanging { done(AttemptResult(.abandoned)) } }
    }
}

extension AttemptResult {
    static let ok = AttemptResult(.accepted, status: 204)
    static func status(_ status: Int, retryAfter: Duration? = nil) -> AttemptResult {
        let verdict: Verdict =
            switch status {
            case 410: .gone
            case 413: .tooLarge
            case 415: .refused
            case 429, 502, 503, 504: .overloaded
            default: .failed
            }
        return AttemptResult(
            verdict, status: status, failure: .status, reason: "HTTP status \(status)",
            retryAfter: retryAfter,
            answer: Array("no".utf8))
    }
}

/// An engine over a real log with one scripted endpoint for each subscription.
struct EngineFixture {
    let pump: PumpFixture
    var log: EventLog { pump.log }

    init() throws {
        pump = try PumpFixture()
    }

    static func subscription(
        _ name: String = "a", _ change: (inout Subscription) -> Void = { _ in }
    ) -> Subscription {
        var subscription = Subscription(
            name: name, url: "https://\(name).example.com/", events: [NamePattern("*")].compactMap { $0 },
            retry: RetrySchedule(.fixed([.seconds(5), .seconds(60)]), jitter: 0))
        change(&subscription)
        return subscription
    }

    func engine(
        _ endpoints: [String: ScriptedEndpoint], _ subscriptions: [Subscription],
        from start: SinkStart = .beginning
    ) -> DeliveryEngine {
        DeliveryEngine(
            DeliveryEngine.Surroundings(
                log: log, relay: "acme", timekeeper: pump.clock, draw: { 0.5 },
                randomBytes: { (0..<$0).map { UInt8(truncatingIfNeeded: $0) } },
                endpoint: { endpoints[$0.name] ?? ScriptedEndpoint() },
                abandon: { for endpoint in endpoints.values { endpoint.abandon() } }, logger: .silent),
            configured: subscriptions.map { DeliveryEngine.Configured($0, from: start) })
    }

    /// Runs one subscription while `body` runs, then stops it.
    func running(
        _ endpoint: ScriptedEndpoint, _ subscription: Subscription = subscription(),
        step: Duration = .milliseconds(25), _ body: (DeliveryEngine) async throws -> Void
    ) async throws {
        let engine = engine([subscription.name: endpoint], [subscription])
        try await engine.start()
        try await pump.running(engine, step: step) { try await body(engine) }
    }

    func until(_ name: String = "webhook/a", _ isTrue: (SinkRecord) -> Bool) async throws {
        try await pump.until(name, isTrue)
    }

    func record(_ name: String = "webhook/a") async throws -> SinkRecord? {
        try await pump.record(name)
    }

    func types() async throws -> [String] {
        try await log.events(after: 0, limit: 100_000).map(\.type)
    }
}
