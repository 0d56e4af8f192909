import EventModel
package import Persisting
package import Ports
package import Services
import Synchronization

/// Carries the log to every webhook subscription.
///
///                       ┌──────────── feed: new events, read once, offered to every lane
///     transport ◀──begin── lanes ──▶ loader: what is not in memory, one read at a time
///         └────done──────▶  │  └───▶ clock: one timer for all of them
///                           └──────▶ storer: what was settled, all lanes in one transaction
///
/// A lane costs its state and nothing else: no task, no thread, no timer of its own. So a thousand idle subscriptions cost
/// some kilobytes each, and one that hangs holds its own deliveries and nobody else's.
package final class DeliveryEngine: Service {
    package let name = "webhooks"

    /// What the engine needs of the world.
    package struct Surroundings: Sendable {
        package let log: EventLog
        /// The relay's name, part of operational events.
        package let relay: String
        package let timekeeper: any Timekeeper
        /// Numbers between 0 and 1, for jitter.
        package let draw: @Sendable () -> Double
        /// Random bytes, for new ids and secrets.
        package let randomBytes: @Sendable (Int) -> [UInt8]
        /// The way to a subscription's endpoint.
        package let endpoint: @Sendable (Subscription) -> any Endpoint
        /// Ends everything that is under way, at the deadline: each delivery ends as abandoned.
        package let abandon: @Sendable () -> Void
        package let metrics: WebhookMetrics
        package let logger: Logger

        package init(
            log: EventLog, relay: String, timekeeper: any Timekeeper, draw: @escaping @Sendable () -> Double,
            randomBytes: @escaping @Sendable (Int) -> [UInt8],
            endpoint: @escaping @Sendable (Subscription) -> any Endpoint,
            abandon: @escaping @Sendable () -> Void, metrics: WebhookMetrics = WebhookMetrics(),
            logger: Logger
        ) {
            (self.log, self.relay, self.timekeeper, self.draw) = (log, relay, timekeeper, draw)
            (self.randomBytes, self.endpoint, self.abandon) = (randomBytes, endpoint, abandon)
            (self.metrics, self.logger) = (metrics, logger)
        }
    }

    let surroundings: Surroundings
    let lanes = Mutex<[String: Lane]>([:])
    let storer: LaneStorer
    private let loader: LaneLoader
    private let clock: LaneClock
    private let configured: [Configured]
    private let stopSignal = StopSignal()
    private let idle = Bell()

    /// A subscription of the configuration, and where it begins when its name is first seen.
    package struct Configured: Sendable {
        package let subscription: Subscription
        package let start: SinkStart

        package init(_ subscription: Subscription, from start: SinkStart) {
            (self.subscription, self.start) = (subscription, start)
        }
    }

    /// - Parameter configured: those of the configuration; others come from the store.
    package init(_ surroundings: Surroundings, configured: [Configured]) {
        (self.surroundings, self.configured) = (surroundings, configured)
        storer = LaneStorer(surroundings)
        loader = LaneLoader(surroundings)
        clock = LaneClock(surroundings.timekeeper)
    }

    package func start() async throws {
        try await reconcile(configured)
        for record in try await surroundings.log.subscriptions() {
            if let lane = try await makeLane(record) { lanes.withLock { $0[record.sink] = lane } }
        }
    }

    package func run() async throws {
        for lane in lanes.withLock({ Array($0.values) }) { lane.poke() }
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.feed() }
                group.addTask { await self.loader.run() }
                group.addTask { await self.clock.run() }
                group.addTask { await self.storer.run() }
                await drained()
                group.cancelAll()
            }
        } onCancel: {
            // The deadline: what is under way ends as if it had not been tried.
            surroundings.abandon()
        }
        await storer.finish(lanes.withLock { Array($0.values) })
    }

    package func stop() async {
        stopSignal.stop()
    }

    /// Waits for the stop, then until nothing is under way any more.
    private func drained() async {
        await stopSignal.wait()
        let all = lanes.withLock { Array($0.values) }
        for lane in all { lane.tell { machine, _ in machine.isStopping = true } }
        while all.contains(where: { lane in lane.read { !$0.flights.isEmpty } }) {
            await idle.waitRegardless()
        }
    }

    /// New events are read once, from memory, and offered to all.
    private func feed() async {
        let log = surroundings.log
        var fed = log.head
        while !Task.isCancelled {
            await log.waitForEvent(after: fed)
            guard let events = log.recentEvents(after: fed, limit: 1024, maxBytes: 4 << 20) else {
                // So many at once that some are out of memory already: every lane reads for itself.
                fed = log.head
                for lane in lanes.withLock({ Array($0.values) }) {
                    lane.tell { machine, _ in machine.mayHaveMore = true }
                }
                continue
            }
            guard let last = events.last else { continue }
            for lane in lanes.withLock({ Array($0.values) }) { lane.offered(events) }
            fed = last.offset
        }
    }

    // MARK: - Lanes

    /// Nil for a subscription whose settings a newer version wrote: its events are held, and the log says so.
    func makeLane(_ record: SubscriptionRecord) async throws(LogError) -> Lane? {
        guard let subscription = Subscription(stored: record.settings) else {
            surroundings.logger.error(
                "settings of a subscription cannot be read, its events are held",
                [.sink: .text(record.sink)])
            return nil
        }
        let progress = try await surroundings.log.openSink(record.sink, from: .now)
        let retries = try await surroundings.log.retries(of: record.sink)
        let machine = LaneMachine(
            LaneMachine.Identity(sink: record.sink, id: record.id, relay: surroundings.relay), subscription,
            health: record.health, progress: progress, retries: retries)
        return Lane(machine, surroundings.endpoint(subscription), hooks)
    }

    private var hooks: Lane.Surroundings {
        Lane.Surroundings(
            log: surroundings.log, timekeeper: surroundings.timekeeper, draw: surroundings.draw,
            metrics: surroundings.metrics, logger: surroundings.logger,
            load: { [loader] lane, lead, offsets in loader.load(lane, lead, offsets) },
            read: { [loader] lane, offset in loader.read(lane, after: offset) },
            changed: { [storer] lane, urgency in storer.changed(lane, urgency) },
            wake: { [clock] lane, wait in clock.wake(lane, in: wait) },
            idle: { [idle] in idle.ring() })
    }

    // MARK: - Configuration

    static let leftReason = "left the configuration"
    static let configuredReason = "disabled by the configuration"

    /// Brings the store in line with the file: new ones are made, changed ones change, those that left are paused.
    func reconcile(_ configured: [Configured]) async throws(LogError) {
        let log = surroundings.log
        let known = try await log.subscriptions()
        let now = surroundings.timekeeper.now
        for part in configured {
            let sink = SubscriptionName.sink(ofConfigured: part.subscription.name)
            let old = known.first { $0.sink == sink }
            let change = Reconciliation(part.subscription, old: old, relay: surroundings.relay, now: now)
            _ = try await log.save(change.record, from: part.start, notices: change.notices, now: now)
        }
        let names = Set(configured.map { SubscriptionName.sink(ofConfigured: $0.subscription.name) })
        for record in known where record.isConfigured && !names.contains(record.sink) {
            guard record.health.state == .active else { continue }
            var paused = record
            paused.health.state = .paused
            (paused.health.reason, paused.health.since) = (Self.leftReason, now)
            _ = try await log.save(paused, from: .now, now: now)
        }
    }
}

/// The names a subscription goes by.
package enum SubscriptionName {
    /// The key of a configured subscription's position in the store.
    package static func sink(ofConfigured name: String) -> String { "webhook/\(name)" }
    /// … and of one that was made through the API, whose name may change.
    static func sink(ofID id: String) -> String { "webhook/\(id)" }
}
