import CrashWorkload
import EventModel
import Ingesting
import Normalizing
import Persisting
import Ports
import Publishing
import Replaying
import Services
import TestSupport

/// The relay of the simulation: everything real but what lies outside. The only file that knows how its parts are made.
struct SimulatedRelay {
    static let kafka = "kafka"
    static let transactions = "kafka/exactly-once"
    /// One subscription of each kind.
    static let hooks = ["webhook/plain", "webhook/ordered", "webhook/batched"]
    /// What comes to the first of them again, beside its live flow.
    static let replay = "replay"

    static let waits: [Duration] =
        [.seconds(5), .seconds(300), .seconds(1800)] + Array(repeating: .seconds(7200), count: 12)

    let clock: VirtualClock
    let schedule: FaultSchedule
    let seed: UInt64
    /// What is outside and stays, by sink.
    let arrivals: [String: Shared<Arrivals>]
    let lines = Shared<[String]>([])
    let absences = Shared<[String: Int]>([:])
    private let draw: @Sendable () -> Double
    private let cluster = Shared(SimulatedTransactions.Cluster())

    init(clock: VirtualClock, schedule: FaultSchedule, seed: UInt64) {
        (self.clock, self.schedule, self.seed) = (clock, schedule, seed)
        draw = Self.draws(seed: seed)
        let sinks = [Self.kafka, Self.transactions, Self.replay] + Self.hooks
        arrivals = Dictionary(uniqueKeysWithValues: sinks.map { ($0, Shared(Arrivals())) })
    }

    func services(_ log: EventLog, _ queue: BlockingQueue) throws(LogError) -> [[any Service]] {
        let retention = RetentionKeeper(
            log, .init(retention: .seconds(86_400), hard: .zero, dedupRetention: .seconds(9 * 86_400)),
            relay: "acme", timekeeper: SlowClock(clock: clock), logger: logger)
        let audit = AuditKeeper(log, timekeeper: SlowClock(clock: clock), logger: logger)
        let deliveries = deliveries(log)
        let book = SubscriptionBook(deliveries)
        let replays = try ReplayKeeper(
            log, targets: { record in await Self.target(record, book) }, queue: queue, timekeeper: clock,
            draw: draw, logger: logger)
        let asker = SimulatedOperator(
            log: log, book: book, replays: replays, at: schedule.replay, clock: clock)
        let outside = outside
        return [
            [retention, audit], [batchPump(log), transactionPump(log), deliveries], [replays, asker],
            [poller(log, outside), customerPoller(log, outside)],
        ]
    }

    /// Everything that happens upstream.
    var happenings: [Happening] {
        let outside = outside
        return SimulatedVendor(seed: seed, schedule.world, outside).happenings
            + SimulatedCustomers(seed: seed, schedule.world, outside, absences: absences).happenings
    }

    /// What came at each end, in its order: what one run of a seed is told from another by.
    var story: [String] {
        arrivals.sorted { $0.key < $1.key }.flatMap { sink, end in
            end.value.accepted.map { "\(sink) \($0.offset) \($0.run ?? -1)" }
        }
    }

    /// Whether somebody outside has yet to answer.
    var isBusy: Bool { arrivals.values.contains { $0.value.underWay > 0 } }

    func died() {
        for end in arrivals.values { end.change { $0.relayDied() } }
    }

    /// A replay sends again what was under way when the relay ended, also when it was asked to.
    func begins() {
        arrivals[Self.replay]?.change { $0.relayDied() }
    }

    // MARK: - Sources

    private var outside: VendorSide {
        let gate = AccountGate(
            account: "acme-tanma", requestsPerSecond: 2, atOnce: 2, timekeeper: clock, draw: draw,
            logger: logger)
        return VendorSide(clock: clock, gate: gate, troubles: schedule.vendor)
    }

    private func customerPoller(_ log: EventLog, _ outside: VendorSide) -> CustomerPoller {
        CustomerPoller(
            SourceIdentity(account: "acme-tanma", kind: .followRecords, name: "follow"),
            source: SimulatedCustomers(seed: seed, schedule.world, outside, absences: absences),
            relations: .init(
                source: SimulatedRelations(outside: outside), normalizer: SimulatedRelationNormalizer()),
            normalizing: RowNormalizing(
                relay: "acme", account: "acme-tanma", normalizer: SimulatedRecordNormalizer()),
            log: log,
            schedule: .init(
                every: .seconds(1200), maxAge: .seconds(8 * 3600), since: SimulatedCustomers.introduced,
                requestsPerSecond: 2),
            gate: outside.gate, timekeeper: clock, draw: draw, logger: logger)
    }

    private func poller(_ log: EventLog, _ outside: VendorSide) -> SourcePoller {
        SourcePoller(
            SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits"),
            source: SimulatedVendor(seed: seed, schedule.world, outside),
            normalizing: RowNormalizing(
                relay: "acme", account: "acme-tanma", normalizer: SimulatedNormalizer()),
            log: log,
            schedule: SourcePoller.Schedule(
                start: VirtualClock.start, every: .seconds(600), lag: .seconds(10), overlap: .seconds(900),
                sweeps: [(every: .seconds(6 * 3600), span: .seconds(2 * 86_400))]),
            gate: outside.gate, timekeeper: clock, draw: draw, logger: logger)
    }

    // MARK: - Sinks

    private static func target(
        _ record: ReplayRecord, _ book: SubscriptionBook
    ) async -> (any ReplayTarget)? {
        do throws(BookError) {
            return try await book.replayTarget(record.target, replay: record.id)
        } catch { return nil }
    }

    private func batchPump(_ log: EventLog) -> BatchPump {
        BatchPump(
            Self.kafka, sink: SimulatedKafka(clock, schedule.kafka, at(Self.kafka)), log: log,
            from: .beginning, selection: selection, timekeeper: clock, draw: draw, logger: logger)
    }

    private func transactionPump(_ log: EventLog) -> TransactionPump {
        let sink = SimulatedTransactions(
            clock, schedule.transactions, at(Self.transactions), cluster, logID: log.logID)
        return TransactionPump(
            Self.transactions, sink: sink, log: log, from: .beginning, selection: selection, adopts: false,
            timekeeper: clock, draw: draw, logger: logger)
    }

    private func deliveries(_ log: EventLog) -> DeliveryEngine {
        let endpoints = zip(Self.hooks, schedule.endpoints).map { hook, troubles in
            (hook, SimulatedEndpoint(clock, troubles, at(hook), replayed: at(Self.replay)))
        }
        let byName = Dictionary(uniqueKeysWithValues: endpoints)
        let surroundings = DeliveryEngine.Surroundings(
            log: log, relay: "acme", timekeeper: clock, draw: draw,
            randomBytes: { [UInt8](repeating: 7, count: $0) },
            endpoint: { byName["webhook/\($0.name)"] ?? endpoints[0].1 },
            abandon: { for (_, endpoint) in endpoints { endpoint.abandon() } }, logger: logger)
        return DeliveryEngine(
            surroundings, configured: Self.hooks.map { .init(subscription($0), from: .beginning) })
    }

    private func subscription(_ hook: String) -> Subscription {
        let name = String(hook.dropFirst("webhook/".count))
        var subscription = Subscription(
            name: name, url: "https://\(name).example.com/", events: Self.everything,
            retry: RetrySchedule(.fixed(Self.waits), jitter: 0.2))
        (subscription.concurrency, subscription.disableAfter) = (4, .seconds(60 * 86_400))
        subscription.isOrdered = name == "ordered"
        subscription.batch = name == "batched" ? 5 : 1
        return subscription
    }

    private func at(_ sink: String) -> Shared<Arrivals> { arrivals[sink] ?? Shared(Arrivals()) }

    static let everything = [NamePattern("*")].compactMap { $0 }

    private var selection: SinkSelection { SinkSelection(events: Self.everything, accounts: nil) }

    /// The simulation's own generator: one draw after the other, on one thread.
    private static func draws(seed: UInt64) -> @Sendable () -> Double {
        let random = Shared(SeededGenerator(seed: seed &+ 2))
        return {
            var drawn = 0.0
            random.change { drawn = Double.random(in: 0...1, using: &$0) }
            return drawn
        }
    }

    private var logger: Logger {
        Logger(level: .error, format: .text, write: { [lines] line in lines.change { $0.append(line) } })
    }
}
