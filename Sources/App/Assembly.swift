import Configuration
import EventModel
import Foundation
import Ingesting
import Kafka
import KafkaSink
import Normalizing
import OutboundHTTP
import Persisting
import Ports
import Publishing
import Services
import Serving

/// Builds the relay from its settings: the only place where clocks, generators and connectors meet.
///
///     level 1   retention, audit
///     level 2   Kafka, webhooks, replays        started before the pollers, stopped after them
///     level 3   pollers                         stopped before them: intake ends, then the sinks drain
///     level 4   the HTTP API, readiness         stopped first: no new requests come in
struct Assembly {
    let settings: Settings
    let log: EventLog
    let timekeeper: any Timekeeper
    /// To the vendors, wherever they are.
    let http: HTTPClient
    /// To subscribers: apart, so that no connection made without the guard is used where there is one.
    let outward: HTTPClient
    let logger: Logger
    let metrics = RelayMetrics()
    let readiness = Readiness()
    private let display: any ProgressDisplay
    private let adopts: Bool

    /// Kept open for reuse, over all subscribers together.
    private static let subscriberConnections = 1024

    /// - Parameters:
    ///   - display: where backfills show their progress, besides the log.
    ///   - adopts: a position in Kafka that belongs to another log is given up for the store's.
    init(
        _ settings: Settings, timekeeper: any Timekeeper, display: any ProgressDisplay = NoDisplay(),
        adopts: Bool = false, logger: Logger
    ) throws(LogError) {
        (self.settings, self.timekeeper, self.logger) = (settings, timekeeper, logger)
        (self.display, self.adopts) = (display, adopts)
        log = try EventLog(
            path: settings.store.path, timekeeper: timekeeper, appendSeconds: metrics.logAppendSeconds)
        http = HTTPClient()
        outward = HTTPClient(
            idleConnections: Self.subscriberConnections, threads: HTTPClient.threadsForDeliveries)
    }

    /// A number between 0 and 1, for jitter.
    static let draw: @Sendable () -> Double = { Double.random(in: 0...1) }

    /// What runs, level by level, and the parts that a configuration read again reaches.
    struct Running {
        let services: [[any Service]]
        let fleet: SourceFleet
        let engine: DeliveryEngine
        let api: APIServer?
    }

    func running() throws -> Running {
        let audit = AuditKeeper(log, timekeeper: timekeeper, logger: logger)
        let fleet = SourceFleet(pollers())
        let engine = deliveryEngine()
        let retention = RetentionKeeper(
            log,
            .init(
                retention: settings.store.retention, hard: settings.store.retentionHard,
                dedupRetention: settings.store.dedupRetention), relay: settings.relay.name,
            timekeeper: timekeeper, logger: logger
        ) { [engine] cut in engine.cut(below: cut.until) }
        let replays = try replayKeeper(engine)
        let kafka: [any Service] = try settings.kafka.map { [try kafkaPump($0)] } ?? []
        let api = try api(fleet, engine, replays)
        let door: [any Service] = api.map { [$0] } ?? []
        return Running(
            services: [
                [retention, audit], kafka + [engine, replays], [fleet], door,
                [ReadinessTeller(readiness, logger: logger)],
            ], fleet: fleet, engine: engine, api: api)
    }

    // MARK: - Sources

    /// What polls a source: by windows of time, or customer by customer.
    enum Poller {
        case windows(SourcePoller, PollerControl)
        case customers(CustomerPoller, PollerControl)

        var service: any Service { part.service }
        var control: any SourceControl { part.control }
        var board: JobBoard { part.control.board }

        private var part: (service: any Service, control: PollerControl) {
            switch self {
            case .windows(let poller, let control): (poller, control)
            case .customers(let poller, let control): (poller, control)
            }
        }
    }

    /// - Parameters:
    ///   - settings: the relay's own, or those of a configuration that was read again.
    ///   - boards: the jobs of sources that are polled already, by their names.
    func pollers(_ newer: Settings? = nil, boards: [String: JobBoard] = [:]) -> [Poller] {
        let settings = newer ?? self.settings
        var gates: [String: AccountGate] = [:]
        return settings.sources.compactMap { source in
            guard let account = settings.accounts.first(where: { $0.name == source.account }) else {
                return nil
            }
            let gate = gates[account.name] ?? Self.gate(account, timekeeper, logger)
            gates[account.name] = gate
            return poller(source, account, gate, settings, boards[source.name] ?? JobBoard())
        }
    }

    private func poller(
        _ source: Settings.Source, _ account: Settings.Account, _ gate: AccountGate, _ settings: Settings,
        _ board: JobBoard
    ) -> Poller {
        let privacy = Privacy(settings.privacy)
        let catalog = Catalog(
            http: http, timekeeper: timekeeper, privacy: privacy, metrics: metrics, logger: logger)
        let connector = catalog.connector(for: source, of: account, gate: gate)
        let identity = SourceIdentity(account: source.account, kind: source.kind, name: source.name)
        let normalizing = RowNormalizing(
            relay: settings.relay.name, account: source.account, normalizer: connector.normalizer,
            hidesRejected: !privacy.keepsEverything)
        let control = PollerControl(
            name: source.name, account: source.account, kind: source.kind, board: board,
            normalizing: normalizing, timekeeper: timekeeper)
        switch connector.reader {
        case .windows(let list):
            return .windows(
                SourcePoller(
                    identity, source: list, normalizing: normalizing, log: log,
                    schedule: Self.schedule(source), gate: gate, timekeeper: timekeeper, draw: Self.draw,
                    display: display, board: board, driftCount: metrics.sourceDrift, logger: logger), control)
        case .customers(let lists, let relations):
            return .customers(
                CustomerPoller(
                    identity, source: lists, relations: relations, normalizing: normalizing, log: log,
                    schedule: Self.customerSchedule(source, account), gate: gate, timekeeper: timekeeper,
                    draw: Self.draw, display: display, board: board, driftCount: metrics.sourceDrift,
                    logger: logger), control)
        }
    }

    static func gate(_ account: Settings.Account, _ timekeeper: any Timekeeper, _ logger: Logger)
        -> AccountGate
    {
        AccountGate(
            account: account.name, requestsPerSecond: account.requestsPerSecond * rateMargin,
            atOnce: atOnce(account.vendor), timekeeper: timekeeper, draw: draw, logger: logger)
    }

    /// Requests leave evenly but arrive with the network's jitter: so much less than allowed is sent.
    private static let rateMargin = 0.97

    /// Weiban refuses five requests of a company at once and answers emptily to fewer (its page); Tanma says nothing, and has
    /// four kinds of sources.
    private static func atOnce(_ vendor: Vendor) -> Int {
        vendor == .weiban ? 2 : 4
    }

    static func schedule(_ source: Settings.Source) -> SourcePoller.Schedule {
        SourcePoller.Schedule(
            start: source.start, every: source.every, lag: source.lag, overlap: source.overlap,
            sweeps: source.sweeps.map { ($0.every, $0.span) })
    }

    static func customerSchedule(
        _ source: Settings.Source, _ account: Settings.Account
    ) -> CustomerPoller.Schedule {
        CustomerPoller.Schedule(
            every: source.every, maxAge: source.maxAge,
            since: source.customersSince ?? Timestamp(seconds: 0),
            requestsPerSecond: account.requestsPerSecond)
    }

    // MARK: - Sinks

    private func kafkaPump(_ kafka: Settings.Kafka) throws(KafkaError) -> any Service {
        let published = kafkaSink(kafka, topic: kafka.topic)
        let selection = SinkSelection(events: kafka.events, accounts: nil)
        switch kafka.delivery {
        case .exactlyOnce:
            return TransactionPump(
                SinkName.kafka,
                sink: try KafkaTransactions(published, writer: kafkaWriter, logger: logger), log: log,
                from: Self.start(kafka.from), selection: selection, adopts: adopts, timekeeper: timekeeper,
                draw: Self.draw, logger: logger, latency: metrics.deliveryLatency)
        case .atLeastOnce:
            return BatchPump(
                SinkName.kafka, sink: try KafkaSink(published, logger: logger), log: log,
                from: Self.start(kafka.from), selection: selection, timekeeper: timekeeper, draw: Self.draw,
                logger: logger, latency: metrics.deliveryLatency)
        }
    }

    /// - Parameter topic: the configured one, or another that a replay goes to.
    func kafkaSink(_ kafka: Settings.Kafka, topic: String) -> KafkaSink.Settings {
        let template = TopicTemplate(topic)
        let names = template.names(
            for: settings.sources.map { ($0.account, $0.kind) }, matching: kafka.events)
        let topics = names.map {
            KafkaTopic(
                name: $0, partitions: kafka.partitions, replication: kafka.replication,
                properties: kafka.topicProperties)
        }
        return KafkaSink.Settings(
            brokers: kafka.brokers, topic: template, isBinary: kafka.mode == .binary, topics: topics,
            properties: kafka.properties, metrics: KafkaMetrics(metrics))
    }

    private var kafkaWriter: KafkaTransactions.Writer {
        var name = [CChar](repeating: 0, count: 256)
        let host = gethostname(&name, name.count - 1) == 0 ? name.prefix { $0 != 0 } : []
        return KafkaTransactions.Writer(
            relay: settings.relay.name, logID: log.logID,
            host: String(decoding: host.map(UInt8.init(bitPattern:)), as: UTF8.self), pid: Int(getpid()))
    }

    static func start(_ point: Settings.StartPoint) -> SinkStart {
        switch point {
        case .beginning: .beginning
        case .now: .now
        case .offset(let offset): .offset(offset)
        case .time(let time): .time(time)
        }
    }
}

/// The keys of sinks' positions in the store.
enum SinkName {
    static let kafka = "kafka"
}
