import EventModel
package import Persisting
package import Ports
import Publishing
package import Services
import Synchronization

/// Runs replays: each with a position, a rate and an account of its own, all beside the live flow (contract, section 7).
///
/// A replay is stored before it begins and goes on after a restart. One that ended stays listed for thirty days.
package final class ReplayKeeper: Service {
    package let name = "replays"

    /// Makes the way to a target; nil when there is no such one any more.
    package typealias Targets = @Sendable (ReplayRecord) async -> (any ReplayTarget)?

    private struct State {
        /// The newest state of those that run.
        var running: [String: ReplayRecord] = [:]
        var stops: [String: StopSignal] = [:]
    }

    private let log: EventLog
    private let reader: LogReader
    private let targets: Targets
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private let state = Mutex(State())
    private let orders: AsyncStream<ReplayRecord>
    private let order: AsyncStream<ReplayRecord>.Continuation
    private let stopSignal = StopSignal()

    static let atOnce = 16
    static let kept: Duration = .seconds(30 * 86_400)

    /// - Parameters:
    ///   - queue: what its reading is done on.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    package init(
        _ log: EventLog, targets: @escaping Targets,
        queue: BlockingQueue = BlockingQueue(label: "millrace.replay.reader"), timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double, logger: Logger
    ) throws(LogError) {
        (self.log, self.targets, self.timekeeper, self.draw) = (log, targets, timekeeper, draw)
        self.logger = logger
        // A connection of its own: a long read holds nobody up.
        reader = try LogReader(path: log.path, queue: queue)
        (orders, order) = AsyncStream.makeStream()
    }

    package func start() async throws {
        try await log.forgetReplays(endedBefore: timekeeper.now - Self.kept)
        for record in try await log.replays() where record.state == .running { launch(record) }
    }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.stopSignal.wait()
                self.order.finish()
                for stop in self.state.withLock({ Array($0.stops.values) }) { stop.stop() }
            }
            for await record in orders { group.addTask { await self.carry(record) } }
        }
    }

    package func stop() async {
        stopSignal.stop()
    }

    // MARK: - Asking

    /// Stores a replay and begins it.
    /// - Throws: `ReplayRefusal` when as many run as may.
    package func submit(_ record: ReplayRecord) async throws {
        guard state.withLock({ $0.running.count < Self.atOnce }) else { throw ReplayRefusal.full }
        try await log.addReplay(
            record, ChangeNote(who: record.who, what: "replay.created", subject: record.id))
        launch(record)
    }

    /// The newest first.
    package func list() async throws(LogError) -> [ReplayRecord] {
        let stored = try await log.replays()
        let running = state.withLock { $0.running }
        return stored.map { running[$0.id] ?? $0 }
    }

    /// Ends a replay that runs, and forgets it. What is under way is finished.
    /// - Returns: its last state; nil when there is none of this id.
    package func remove(_ id: String, by who: String) async throws(LogError) -> ReplayRecord? {
        guard let record = try await list().first(where: { $0.id == id }) else { return nil }
        try await log.removeReplay(id, ChangeNote(who: who, what: "replay.deleted", subject: id))
        state.withLock { $0.stops[id] }?.stop()
        return record
    }

    // MARK: - Running

    private func launch(_ record: ReplayRecord) {
        state.withLock { state in
            state.running[record.id] = record
            state.stops[record.id] = StopSignal()
        }
        order.yield(record)
    }

    private func carry(_ record: ReplayRecord) async {
        guard let stop = state.withLock({ $0.stops[record.id] }), !stopSignal.isStopped else { return }
        logger.info(
            "replay begins",
            [.name: .text(record.id), .sink: .text(record.target), .from: .text("\(record.position + 1)")])
        let store = PatientStore(
            replay: record.id, timekeeper: timekeeper, draw: draw, stop: stop, logger: logger)
        let end = await carried(record, stop, store)
        if !stop.isStopped { await settle(end, store) }
        state.withLock { state in
            state.running[record.id] = nil
            state.stops[record.id] = nil
        }
    }

    private func carried(
        _ record: ReplayRecord, _ stop: StopSignal, _ store: PatientStore
    ) async -> ReplayRecord {
        guard let target = await targets(record) else {
            var failed = record
            (failed.state, failed.failure) = (.failed, "\(record.target) is not there any more")
            return failed
        }
        let run = ReplayRun(
            log: log, reader: reader, target: target, timekeeper: timekeeper, draw: draw, stop: stop,
            logger: logger, store: store
        ) { [self] newer in
            state.withLock { state in
                if state.running[newer.id] != nil { state.running[newer.id] = newer }
            }
        }
        return await run.carry(record)
    }

    private func settle(_ end: ReplayRecord, _ store: PatientStore) async {
        var end = end
        if end.state != .running { end.finished = timekeeper.now }
        let stored: Void? = await store.ask { [end] () async throws(LogError) in
            try await log.storeReplay(end)
        }
        guard stored != nil else { return }
        logger.info(
            "replay ended",
            [
                .name: .text(end.id), .state: .text(end.state.rawValue), .delivered: .number(end.delivered),
                .count: .number(end.events),
            ])
    }
}

/// Why a replay is not taken.
package enum ReplayRefusal: Error, Sendable {
    /// As many run as may.
    case full
}
