package import EventModel
package import Normalizing
package import Persisting
package import Ports
import RowDecoding
package import Services

/// Polls a source that answers one customer at a time, for as long as the relay runs.
///
///     CustomerDiscovery ──▶ relations ──▶ who there is ─┐
///     relations and visits of the account, as stored ───┴▶ the schedule ──▶ CustomerPlan ──▶ CustomerSource.read
///                                                              ▲                                    │
///                                     EventLog: events, deletions, the schedule's entry ◀───────────┘
///
/// The schedule is in the store: a restart goes on where it was, and a hundred thousand customers cost no memory. A
/// customer whose call fails goes to the back; the others go on.
package actor CustomerPoller: Service {
    /// How the source is polled; see the configuration's manual.
    package struct Schedule: Sendable {
        package var every: Duration
        package var maxAge: Duration
        /// Customers are discovered back to here.
        package var since: Timestamp
        /// What the account allows, for telling whether `maxAge` can be kept at all.
        package var requestsPerSecond: Double

        package init(every: Duration, maxAge: Duration, since: Timestamp, requestsPerSecond: Double) {
            (self.every, self.maxAge, self.since) = (every, maxAge, since)
            self.requestsPerSecond = requestsPerSecond
        }
    }

    /// Where customers come from: the relations of the same account, and what reads their rows.
    package struct Relations: Sendable {
        let source: any WindowSource
        let normalizer: any Normalizer

        package init(source: any WindowSource, normalizer: any Normalizer) {
            (self.source, self.normalizer) = (source, normalizer)
        }

        /// A row that cannot be read leads to nobody; the relations source puts it into quarantine when it is its turn.
        func customer(_ row: [UInt8]) -> CustomerReference? {
            do throws(RowError) {
                return try normalizer.normalize(row).customer
            } catch {
                return nil
            }
        }
    }

    /// Two readings that both lack a record must be this far apart at most, before it counts as deleted.
    static let patience: Duration = .seconds(600)
    /// A customer whose calls keep failing is tried again after at most this long.
    static let longestRetry: Duration = .seconds(3600)

    package nonisolated let name: String
    private let identity: SourceIdentity
    private let source: any CustomerSource
    private let relations: Relations
    /// Reads rows anew, for what comes back from quarantine.
    package nonisolated let normalizing: RowNormalizing
    /// What people asked of this source.
    package nonisolated let board: JobBoard
    private let log: EventLog
    private let schedule: Schedule
    private let timekeeper: any Timekeeper
    private let logger: Logger
    private let stopSignal = StopSignal()
    private var plan: CustomerPlan
    private var setbacks: Setbacks
    /// Discovery has setbacks of its own: the customers who are known are read meanwhile.
    private var discoverySetbacks: Setbacks
    private var discoveryRestsUntil: Duration = .zero
    private var drift: DriftWatch
    private var teller: CustomerTeller

    /// - Parameters:
    ///   - draw: gives numbers between 0 and 1, for jitter.
    ///   - display: where a first pass over all customers shows its progress, besides the log.
    package init(
        _ identity: SourceIdentity, source: any CustomerSource, relations: Relations,
        normalizing: RowNormalizing, log: EventLog, schedule: Schedule, gate: AccountGate,
        timekeeper: any Timekeeper, draw: @escaping @Sendable () -> Double,
        display: any ProgressDisplay = NoDisplay(), board: JobBoard = JobBoard(), driftCount: Metric? = nil,
        logger: Logger
    ) {
        name = "source \(identity.name)"
        (self.identity, self.source, self.relations) = (identity, source, relations)
        (self.normalizing, self.log, self.schedule) = (normalizing, log, schedule)
        (self.timekeeper, self.logger) = (timekeeper, logger)
        plan = CustomerPlan(maxAge: schedule.maxAge)
        setbacks = Setbacks(source: identity.name, gate: gate, draw: draw, logger: logger)
        discoverySetbacks = setbacks
        drift = DriftWatch(documented: normalizing.documentedFields, count: driftCount)
        self.board = board
        teller = CustomerTeller(identity.name, schedule, display: display, logger: logger)
    }

    package func run() async throws {
        _ = await stopSignal.unlessStopped { await self.pollUntilCancelled() }
    }

    package nonisolated func stop() async {
        stopSignal.stop()
    }

    /// One poll cycle: discovery as far as it is due, then every customer that is due, once. For `millrace poll`.
    ///
    /// Customers that fail are passed over and counted; so many in a row that it is not they who fail end the cycle.
    package func pollOnce() async throws(SourceError) -> PollCycle {
        var discovery = try await stored { () async throws(LogError) in try await openDiscovery() }
        while let (window, lane) = discovery.next(now: timekeeper.now) {
            try await discover(window, lane, &discovery)
        }
        var cycle = PollCycle()
        var failedInARow = 0
        while true {
            do throws(SourceError) {
                guard let result = try await step(&discovery) else { return cycle }
                cycle.result += result
                failedInARow = 0
            } catch {
                failedInARow += 1
                guard error.mayBeItsLength, failedInARow < Setbacks.alarmAfter else { throw error }
                cycle.failed += 1
                cycle.failure = error
            }
        }
    }

    private func pollUntilCancelled() async {
        var discovery: CustomerDiscovery?
        defer { board.putBack() }
        while !Task.isCancelled {
            if let job = board.take(at: timekeeper.now) {
                await work(on: job)
                discovery = nil
            }
            do throws(SourceError) {
                if discovery == nil {
                    discovery = try await stored { () async throws(LogError) in try await openDiscovery() }
                }
                guard var current = discovery else { continue }
                defer { discovery = current }
                if try await step(&current) == nil {
                    setbacks.worked()
                    try await tellCounts(current, isIdle: true)
                    await sleepUnlessAsked(schedule.every)
                }
            } catch {
                await sleep(setbacks.wait(after: error))
            }
        }
    }

    /// The next thing to do, done; nil when there is nothing by now.
    private func step(_ discovery: inout CustomerDiscovery) async throws(SourceError) -> ReadingResult? {
        if timekeeper.elapsed >= discoveryRestsUntil, let (window, lane) = discovery.next(now: timekeeper.now)
        {
            try await discoverOrRest(window, lane, &discovery)
            return ReadingResult()
        }
        let now = timekeeper.now
        let head = try await stored { () async throws(LogError) in
            try await log.customers(of: identity, at: now)
        }
        let pick = plan.next(wanted: head.wanted != nil, oldest: head.oldest.map(\.turn), now: now)
        if plan.isLate(oldest: head.oldest?.turn, now: now) { teller.isLate() }
        guard let customer = pick == .wanted ? head.wanted : pick == .oldest ? head.oldest : nil else {
            return nil
        }
        let result = try await read(customer, picked: now)
        setbacks.worked()
        teller.read(result)
        if teller.isDue(timekeeper.elapsed) { try await tellCounts(discovery, isIdle: false) }
        return result
    }

    // MARK: - Who there is

    private func openDiscovery() async throws(LogError) -> CustomerDiscovery {
        let stored = try await log.position(of: identity)
        let state = try stored.map { position throws(LogError) in
            guard let state = CustomerDiscovery.State(position) else {
                throw LogError(
                    .corrupt, doing: "read the position of \(identity.name)", cause: "it cannot be decoded")
            }
            return state
        }
        let discovery = CustomerDiscovery(
            lanes: relations.source.lanes, since: schedule.since, state: state, now: timekeeper.now)
        try await log.discovered([], for: identity, position: discovery.position)
        return discovery
    }

    private func discoverOrRest(
        _ window: Window, _ lane: String, _ discovery: inout CustomerDiscovery
    ) async throws(SourceError) {
        do throws(SourceError) {
            try await discover(window, lane, &discovery)
            discoverySetbacks.worked()
        } catch {
            guard error.mayBeItsLength else { throw error }
            discoveryRestsUntil = timekeeper.elapsed + discoverySetbacks.wait(after: error)
        }
    }

    /// Reads a window of relations and enters its customers; no event comes of it.
    private func discover(
        _ window: Window, _ lane: String, _ discovery: inout CustomerDiscovery
    ) async throws(SourceError) {
        var rows = 0
        let position = discovery.position
        do throws(SourceError) {
            try await relations.source.read(window, lane: lane) { page throws(SourceError) in
                rows += page.rows.count
                let customers = page.rows.compactMap(relations.customer)
                try await stored { () async throws(LogError) in
                    try await log.discovered(customers, for: identity, position: position)
                }
            }
        } catch {
            if error.mayBeItsLength { discovery.failed() }
            throw error
        }
        var completed = discovery
        completed.completed(window, lane: lane, rows: rows)
        try await stored { () async throws(LogError) in
            try await log.discovered([], for: identity, position: completed.position)
        }
        discovery = completed
        teller.discovered(rows, discovery.progress(now: timekeeper.now), window.to, timekeeper.elapsed)
    }

    // MARK: - One customer

    private func read(
        _ customer: ScheduledCustomer, picked: Timestamp
    ) async throws(SourceError) -> ReadingResult {
        let list: CustomerList
        do throws(SourceError) {
            list = try await source.read(customer.key)
        } catch {
            if error.mayBeItsLength { try await putBack(customer) }
            throw error
        }
        let reading = CustomerReading(
            key: customer.key, eventSource: normalizing.source, picked: picked,
            reply: log.replyFingerprint(list.rows), patience: min(schedule.maxAge, Self.patience))
        let isUnchanged = customer.reply == reading.reply && customer.pending == 0
        let result = try await stored { () async throws(LogError) in
            isUnchanged
                ? ReadingResult(
                    rows: try await log.storeUnchanged(rows: list.rows.count, from: identity, reading))
                : try await log.store(normalizing.normalize(list.rows), from: identity, reading)
        }
        if !isUnchanged { tell(list, result) }
        return result
    }

    /// One customer the vendor cannot answer must not keep the others waiting.
    private func putBack(_ customer: ScheduledCustomer) async throws(SourceError) {
        let delay = min(.seconds(60) * (1 << min(customer.failures, 10)), Self.longestRetry)
        let again = timekeeper.now + delay
        try await stored { () async throws(LogError) in
            try await log.customerFailed(customer.key, of: identity, again: again)
        }
    }

    private func tell(_ list: CustomerList, _ result: ReadingResult) {
        for row in list.rows {
            drift.tell(row, of: identity.name, logger)
        }
        if result.rows.rejected > 0 {
            logger.warning(
                "rows went to quarantine",
                [.source: .text(identity.name), .rejected: .count(result.rows.rejected)])
        }
        if list.missing > 0 {
            logger.warning(
                "the vendor says there is more than it gave",
                [.source: .text(identity.name), .count: .count(list.missing)])
        }
        if result.vanished {
            logger.error(
                "a customer's records are all gone, which two more readings have to confirm",
                [.source: .text(identity.name)])
        }
    }

    private func tellCounts(_ discovery: CustomerDiscovery, isIdle: Bool) async throws(SourceError) {
        let counts = try await stored { () async throws(LogError) in
            try await log.customerCounts(of: identity)
        }
        teller.tell(counts, isIdle: isIdle, now: timekeeper.now, elapsed: timekeeper.elapsed)
    }

    // MARK: - Inside

    private func stored<T: Sendable>(
        _ body: () async throws(LogError) -> T
    ) async throws(SourceError) -> T {
        do throws(LogError) {
            return try await body()
        } catch {
            throw SourceError(.store, doing: error.doing, cause: error.cause)
        }
    }

    /// A cycle that somebody asked for.
    private func work(on taken: SourceJob) async {
        var job = taken
        do throws(SourceError) {
            let cycle = try await pollOnce()
            job.count(cycle.result.rows)
            job.ended(
                cycle.failure.map { "\(cycle.failed) customers could not be read, the last because: \($0)" },
                at: timekeeper.now)
        } catch {
            guard error.kind != .cancelled else { return }
            job.ended(error.description, at: timekeeper.now)
        }
        board.update(job)
    }

    private func sleepUnlessAsked(_ duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sleep(duration) }
            group.addTask { await self.board.waitForWork() }
            await group.next()
            group.cancelAll()
        }
    }

    private func sleep(_ duration: Duration) async {
        guard duration > .zero else { return }
        do throws(CancellationError) {
            try await timekeeper.sleep(for: duration)
        } catch {
            return
        }
    }
}
