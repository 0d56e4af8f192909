import Dispatch
import EventModel
import InboundHTTP
package import Persisting
package import Ports
package import Publishing
package import Replaying
package import Services
import Signing

/// The HTTP API (contract, section 7): the log for those who pull, and the relay's controls.
///
///     InboundHTTP ──▶ inbox ──▶ one task a request: AccessControl ──▶ Router ──▶ a route's handler ──▶ answer
///                                                                                 └─ StreamHub: streams stay open
///
/// - Nothing of a request is on a cooperative thread while it waits: long polls and streams sleep in the library.
/// - A handler either refuses with a `Problem` and has changed nothing, or has done what it says; what it changed is recorded in the
///   same transaction.
/// - Stopping: no new connection, long polls answer with what they have, streams end, what is under way is finished.
///
/// To add a route: a method of a `…Routes` struct, its line there, its description in `schemas/openapi.yaml`.
package final class APIServer: Service {
    /// Where to listen, and who may come in.
    package struct Settings: Sendable {
        package var host: String
        package var port: UInt16
        /// Certificate (with its chain) and key, as PEM texts; nil serves plain HTTP.
        package var tls: (certificate: String, key: String)?
        package var tokens: [APIToken]

        package init(
            host: String, port: UInt16, tls: (certificate: String, key: String)? = nil, tokens: [APIToken]
        ) {
            (self.host, self.port, self.tls, self.tokens) = (host, port, tls, tokens)
        }
    }

    /// What the API shows and steers.
    package struct Relay: Sendable {
        let log: EventLog
        let book: SubscriptionBook
        let replays: ReplayKeeper
        let isTopic: (@Sendable (String) -> Bool)?
        let sources: @Sendable () -> [any SourceControl]
        let metrics: RelayMetrics
        let refresh: @Sendable () async -> Void
        let readiness: Readiness
        let openAPI: [UInt8]

        /// - Parameters:
        ///   - isTopic: whether a topic, or a template of one, is legal; nil where there is no Kafka.
        ///   - sources: those that are polled at the moment.
        ///   - refresh: sets the metrics that are looked up and not counted; called at every scrape.
        ///   - openAPI: the description that is served, in JSON.
        package init(
            log: EventLog, book: SubscriptionBook, replays: ReplayKeeper,
            isTopic: (@Sendable (String) -> Bool)?,
            sources: @escaping @Sendable () -> [any SourceControl], metrics: RelayMetrics,
            refresh: @escaping @Sendable () async -> Void = {}, readiness: Readiness, openAPI: [UInt8]
        ) {
            (self.log, self.book, self.replays, self.isTopic) = (log, book, replays, isTopic)
            (self.sources, self.metrics, self.refresh) = (sources, metrics, refresh)
            (self.readiness, self.openAPI) = (readiness, openAPI)
        }
    }

    package let name = "http"
    private let settings: Settings
    private let access = AccessControl()
    private let readers: ReaderPool
    private let hub: StreamHub
    private let router: Router
    private let routes: [Route]
    private let metrics: RelayMetrics
    private let stopSignal = StopSignal()
    private let door: Door
    private let logger: Logger

    /// Connections: ten thousand streams, and room for requests beside them.
    private static let maxConnections = 24_000
    private static let threads = 2
    /// Twice what the head of a request of the API needs; no more, because every open stream has it.
    private static let connectionBytes = 16 << 10
    /// For a client that says nothing; streams and long polls are not idle. libmicrohttpd 0.9.75 also never answers a request line
    /// that ends just where the connection's memory does: this ends it.
    private static let idleTimeout: Duration = .seconds(20)

    /// - Throws: when the store cannot be read.
    package init(
        _ settings: Settings, _ relay: Relay, timekeeper: any Timekeeper, logger: Logger
    ) throws(LogError) {
        (self.settings, self.logger, metrics) = (settings, logger, relay.metrics)
        readers = try ReaderPool(path: relay.log.path, count: 3)
        hub = StreamHub(relay.log, metrics: relay.metrics, timekeeper: timekeeper, logger: logger)
        let clock = timekeeper
        var routes = FeedRoutes(
            log: relay.log, readers: readers, book: relay.book, hub: hub, stopSignal: stopSignal,
            timekeeper: clock
        ).routes
        routes += SubscriptionRoutes(book: relay.book, timekeeper: clock).routes
        routes += DeadLetterRoutes(book: relay.book).routes
        routes +=
            ReplayRoutes(
                log: relay.log, book: relay.book, replays: relay.replays, isTopic: relay.isTopic,
                timekeeper: clock,
                randomBytes: secureRandomBytes
            ).routes
        routes +=
            SourceRoutes(log: relay.log, readers: readers, sources: relay.sources, timekeeper: clock).routes
        routes += TokenRoutes(log: relay.log, readers: readers, access: access).routes
        routes +=
            HealthRoutes(
                readers: readers, metrics: relay.metrics, refresh: relay.refresh, readiness: relay.readiness,
                openAPI: relay.openAPI, timekeeper: clock
            ).routes
        self.routes = routes
        router = Router(routes, access: access, timekeeper: timekeeper)
        door = Door()
        access.configure(settings.tokens)
    }

    /// Every route, as `METHOD /path`, for comparing with the description.
    package var routeNames: [String] { routes.map { "\($0.method) \($0.path)" } }

    /// The port that is listened on; nil before `start()`.
    package var port: Int? { door.port }

    /// Takes the tokens of a configuration that was read again.
    package func reload(tokens: [APIToken]) {
        access.configure(tokens)
    }

    package func start() async throws {
        access.made(try await readers.next().tokens())
        var configuration = HTTPServer.Configuration(
            host: settings.host, port: Int(settings.port), threads: Self.threads,
            maxConnections: Self.maxConnections, connectionBytes: Self.connectionBytes,
            tls: settings.tls.map { .init(certificate: $0.certificate, key: $0.key) },
            idleTimeout: Self.idleTimeout)
        configuration.tooLarge = Problem.tooLarge.answer
        try door.open(configuration)
        logger.info("http listens", [.at: .text(settings.host), .count: .count(port ?? 0)])
    }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await self.stopSignal.unlessStopped { await self.hub.run() } }
            group.addTask { await self.serveAll() }
            await stopSignal.wait()
            // Ends `serveAll` once everything that came in is answered.
            door.close()
        }
        await door.shut()
    }

    package func stop() async {
        stopSignal.stop()
    }

    private func serveAll() async {
        await withDiscardingTaskGroup { group in
            for await visit in door.visits {
                group.addTask { await self.serve(visit) }
            }
        }
    }

    private func serve(_ visit: Door.Visit) async {
        let (route, reply) = await router.reply(to: visit.request)
        switch reply {
        case .answer(let answer):
            metrics.httpRequests.increment(route, String(answer.status))
            visit.responder.answer(answer)
        case .stream(let order):
            await open(order, visit, route)
        }
    }

    private func open(_ order: StreamOrder, _ visit: Door.Visit, _ route: String) async {
        let head = HTTPAnswer(
            status: 200, headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-store"])
        if visit.request.method == "HEAD" {
            metrics.httpRequests.increment(route, "200")
            return visit.responder.answer(head)
        }
        guard await hub.reserve() else {
            var problem = Problem(
                503, "too-many-streams", "Too many streams", "No further stream can be opened.")
            problem.headers.append("Retry-After", "15")
            metrics.httpRequests.increment(route, "503")
            return visit.responder.answer(problem.answer)
        }
        metrics.httpRequests.increment(route, "200")
        await hub.join(visit.responder.stream(head, capacity: StreamHub.capacity), order)
    }
}

/// One token of the configuration.
package struct APIToken: Sendable {
    let name: String
    let token: Secret
    let scope: Scope

    package init(name: String, token: Secret, scope: Scope) {
        (self.name, self.token, self.scope) = (name, token, scope)
    }
}
