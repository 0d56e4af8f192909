import EventModel
import Foundation
import OutboundHTTP
import Persisting
import Ports
import Publishing
import Services
import Signing
import WebhookSink

/// The delivering half of the relay as `run` puts it together: log, engine, signed POSTs through libcurl.
struct Deliveries {
    let log: EventLog
    private let http = HTTPClient(threads: HTTPClient.threadsForDeliveries)
    private let engine: DeliveryEngine

    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

    /// - Parameter watched: hears of each attempt's end, on the transfer thread.
    init(
        _ log: EventLog, to receiver: Receiver, concurrency: Int, from start: SinkStart,
        watched: (@Sendable (Delivery) -> Void)? = nil
    ) throws {
        self.log = log
        guard let signer = WebhookSigner(secret: Self.secret) else { throw BenchFailure("no secret") }
        let url = "http://127.0.0.1:\(receiver.port)/"
        var settings = WebhookSink.Settings(url: url, signers: [WebhookSink.Signer(signer)])
        settings.allowsPrivateAddresses = true
        let sink = WebhookSink(settings, version: "0.1.0", http: http, timekeeper: RunningClock())
        let endpoint: any Endpoint = watched.map { WatchedEndpoint(sink: sink, watched: $0) } ?? sink
        var subscription = Subscription(
            name: "bench", url: url, events: [NamePattern("*")].compactMap { $0 },
            retry: RetrySchedule(.fixed([.seconds(5)]), jitter: 0))
        subscription.concurrency = concurrency
        engine = DeliveryEngine(
            DeliveryEngine.Surroundings(
                log: log, relay: "bench", timekeeper: RunningClock(), draw: { 0.5 },
                randomBytes: { [UInt8](repeating: 7, count: $0) }, endpoint: { _ in endpoint },
                abandon: { [http] in http.close() }, logger: .silent),
            configured: [DeliveryEngine.Configured(subscription, from: start)])
    }

    func start() async throws {
        try await engine.start()
    }

    /// Delivers while `body` runs, then stops as the relay does: with everything stored.
    func running(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [engine] in try await engine.run() }
            try await body()
            await engine.stop()
            try await group.waitForAll()
        }
        http.close()
    }
}

private struct WatchedEndpoint: Endpoint {
    let sink: WebhookSink
    let watched: @Sendable (Delivery) -> Void

    func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void) {
        sink.begin(delivery) { [watched] result in
            watched(delivery)
            done(result)
        }
    }

    func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void) {
        sink.askConsent(perMinute: perMinute, done)
    }
}

/// The machine's own clocks, for what measures itself by them.
struct RunningClock: Timekeeper {
    private static let begin = ContinuousClock.now

    var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    var elapsed: Duration { ContinuousClock.now - Self.begin }

    func sleep(for duration: Duration) async throws(CancellationError) {
        do { try await Task.sleep(for: duration) } catch { throw CancellationError() }
    }
}
