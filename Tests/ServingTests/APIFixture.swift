import EventModel
import Foundation
import InboundHTTP
import Persisting
import Ports
import Publishing
import Replaying
import Services
import Signing
import Synchronization
import TestSupport

@testable import Serving

/// A real log behind the routes; requests go in without a socket.
struct APIFixture {
    let folder: TemporaryFolder
    let clock: ManualClock
    let log: EventLog
    let access = AccessControl()
    let source = ScriptedSource()
    let metrics = RelayMetrics()
    let stopSignal = StopSignal()
    let hub: StreamHub
    let endpoint = RecordingEndpoint()
    let engine: DeliveryEngine
    let replays: ReplayKeeper
    let router: Router

    static let identity = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
    static let time = Timestamp(seconds: 1_790_000_000)

    init(tokens: [APIToken] = []) throws {
        folder = try TemporaryFolder()
        clock = ManualClock()
        log = try EventLog(path: folder.file("millrace.db"), timekeeper: clock)
        let readers = try ReaderPool(path: log.path, count: 2)
        hub = StreamHub(log, metrics: metrics, timekeeper: clock, logger: .silent)
        access.configure(tokens)
        let source = self.source
        engine = Self.engine(log, clock, endpoint)
        let book = SubscriptionBook(engine)
        replays = try ReplayKeeper(
            log,
            targets: { record in
                do { return try await book.replayTarget(record.target, replay: record.id) } catch {
                    return nil
                }
            }, timekeeper: clock, draw: { 0.5 }, logger: .silent)
        var routes = FeedRoutes(
            log: log, readers: readers, book: book, hub: hub, stopSignal: stopSignal, timekeeper: clock
        ).routes
        routes += SourceRoutes(log: log, readers: readers, sources: { [source] }, timekeeper: clock).routes
        routes += TokenRoutes(log: log, readers: readers, access: access).routes
        routes += SubscriptionRoutes(book: book, timekeeper: clock).routes
        routes += DeadLetterRoutes(book: book).routes
        routes +=
            ReplayRoutes(
                log: log, book: book, replays: replays, isTopic: { $0 != "bad topic" }, timekeeper: clock,
                randomBytes: secureRandomBytes
            ).routes
        routes +=
            HealthRoutes(
                readers: readers, metrics: RelayMetrics(), refresh: {}, readiness: Readiness(), openAPI: [],
                timekeeper: clock
            ).routes
        router = Router(routes, access: access, timekeeper: clock)
    }

    private static func engine(
        _ log: EventLog, _ clock: ManualClock, _ endpoint: RecordingEndpoint
    ) -> DeliveryEngine {
        var fixed = Subscription(
            name: "fixed", url: "https://fixed.example.com/", events: [NamePattern("*")].compactMap { $0 },
            retry: .standard)
        fixed.secrets = [.init(Secret("whsec_bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtZm9yLW1l"))]
        return DeliveryEngine(
            DeliveryEngine.Surroundings(
                log: log, relay: "acme", timekeeper: clock, draw: { 0.5 }, randomBytes: secureRandomBytes,
                endpoint: { _ in endpoint }, abandon: {}, logger: .silent),
            configured: [DeliveryEngine.Configured(fixed, from: .now)])
    }

    /// Runs deliveries and replays while `body` runs; time goes on by itself.
    func running(_ body: () async throws -> Void) async throws {
        try await engine.start()
        try await replays.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            group.addTask { try await replays.run() }
            let ticking = Task {
                while !Task.isCancelled {
                    clock.advance(by: .milliseconds(25))
                    await Task.yield()
                }
            }
            try await body()
            await replays.stop()
            await engine.stop()
            try await group.waitForAll()
            ticking.cancel()
            await ticking.value
        }
    }

    /// Asks until an answer is as it should be.
    func until(
        _ target: String, _ isTrue: @escaping (Answered) -> Bool
    ) async throws -> Answered {
        while true {
            let answer = try await ask(target)
            if isTrue(answer) { return answer }
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    func ask(_ target: String) async throws -> Answered { try await ask("GET", target) }

    static func row(_ number: Int, type: String = "") -> LogRow {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: .visits, identity: "row-\(number)",
            time: time + .seconds(number), subject: "unionid/\(number % 3)",
            data: Array(#"{"content":"\#(number)"}"#.utf8))
        return .event(draft, raw: Array("raw of \(number)".utf8))
    }

    func append(_ numbers: Range<Int>) async throws {
        _ = try await log.append(numbers.map { Self.row($0) }, from: Self.identity, position: nil)
    }

    /// - Parameter headers: `Host` is loopback unless it is given.
    func ask(
        _ method: String = "GET", _ target: String, headers: HTTPHeaders = [:], body: String = "",
        from address: String = "127.0.0.1"
    ) async throws -> Answered {
        var fields = headers
        if fields["host"] == nil { fields.append("Host", "127.0.0.1:8080") }
        if !body.isEmpty, fields["content-type"] == nil { fields.append("Content-Type", "application/json") }
        let request = InboundRequest(
            method: method, target: target, headers: fields, body: Array(body.utf8), remoteAddress: address)
        switch await router.reply(to: request).reply {
        case .answer(let answer): return try Answered(answer)
        case .stream(let order): return Answered(order)
        }
    }
}

/// An answer as a test looks at it.
struct Answered {
    let status: Int
    let headers: HTTPHeaders
    let json: [String: Any]
    let bytes: [UInt8]
    let order: StreamOrder?

    init(_ answer: HTTPAnswer) throws {
        (status, headers, bytes, order) = (answer.status, answer.headers, answer.body, nil)
        json =
            answer.body.isEmpty
            ? [:] : try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any] ?? [:]
    }

    init(_ order: StreamOrder) {
        (status, headers, bytes, json, self.order) = (200, [:], [], [:], order)
    }

    var items: [[String: Any]] { json["items"] as? [[String: Any]] ?? [] }
    func text(_ name: String) -> String? { json[name] as? String }
    func number(_ name: String) -> Int? { json[name] as? Int }
    /// The problem's kind, without its prefix.
    var problem: String? { text("type").map { String($0.dropFirst("urn:millrace:problem:".count)) } }
}

/// A source that records what it is asked.
final class ScriptedSource: SourceControl {
    let name = "visits"
    let account = "acme-tanma"
    let kind = SourceKind.visits
    private let asked = Mutex<[SourceJob]>([])

    func submit(_ kind: SourceJob.Kind, _ window: Window?) throws(JobRefusal) -> SourceJob {
        let job = asked.withLock { asked -> SourceJob? in
            guard asked.count < 20 else { return nil }
            let job = SourceJob(
                id: Int64(asked.count + 1), kind: kind, window: window, created: APIFixture.time)
            asked.append(job)
            return job
        }
        guard let job else { throw .full }
        return job
    }

    var jobs: [SourceJob] { asked.withLock { $0.reversed() } }

    /// Rows that begin with `good` can be read by now.
    func normalize(_ rows: [[UInt8]]) -> [LogRow] {
        rows.map { row in
            let text = String(decoding: row, as: UTF8.self)
            guard text.hasPrefix("good") else { return .rejected(raw: row, reason: "still bad") }
            return APIFixture.row(Int(text.dropFirst(4)) ?? 0)
        }
    }
}
