package import EventModel
package import Normalizing
package import Persisting
package import Ports
package import Services

/// Polls one source for as long as the relay runs: windows in, pages into the log, the watermark after them.
///
///     WindowPlan ──▶ WindowSource.read ──▶ RowNormalizing ──▶ EventLog.append ──▶ position
///
/// Nothing is acknowledged to the plan before it is in the log. A window that fails is read again whole; dedup absorbs
/// what was stored already.
package actor SourcePoller: Service {
    package nonisolated let name: String
    let identity: SourceIdentity
    let source: any WindowSource
    /// Reads rows anew, for what comes back from quarantine.
    package nonisolated let normalizing: RowNormalizing
    /// What people asked of this source.
    package nonisolated let board: JobBoard
    private let log: EventLog
    private let settings: WindowPlan.Settings
    private let configuredStart: Timestamp?
    let timekeeper: any Timekeeper
    let logger: Logger
    private let stopSignal = StopSignal()
    var clock = VendorClock()
    var setbacks: Setbacks
    var drift: DriftWatch
    private var progress: ProgressTeller
    /// Where each lane's gap began and how many rows its pieces held, for progress.
    private var backfills: [String: (begun: Timestamp, rows: Int)] = [:]

    /// How a source is polled; see the configuration's manual for each.
    package struct Schedule: Sendable {
        /// Nil is now, resolved at the first poll and stored.
        package var start: Timestamp?
        package var every: Duration
        package var lag: Duration
        package var overlap: Duration
        /// Nil as span reads back to the start.
        package var sweeps: [(every: Duration, span: Duration?)]

        package init(
            start: Timestamp?, every: Duration, lag: Duration, overlap: Duration,
            sweeps: [(every: Duration, span: Duration?)]
        ) {
            (self.start, self.every, self.lag, self.overlap, self.sweeps) = (
                start, every, lag, overlap, sweeps
            )
        }

        var planSettings: WindowPlan.Settings {
            WindowPlan.Settings(
                every: every, lag: lag, overlap: overlap,
                sweeps: sweeps.map { WindowPlan.Sweep(every: $0.every, span: $0.span) })
        }
    }

    /// - Parameters:
    ///   - draw: gives numbers between 0 and 1, for jitter.
    ///   - display: where a long backfill shows its progress, besides the log.
    ///   - board: jobs of a poller this one takes over from.
    ///   - driftCount: counts what `DriftWatch` tells.
    package init(
        _ identity: SourceIdentity, source: any WindowSource, normalizing: RowNormalizing, log: EventLog,
        schedule: Schedule, gate: AccountGate, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double, display: any ProgressDisplay = NoDisplay(),
        board: JobBoard = JobBoard(), driftCount: Metric? = nil, logger: Logger
    ) {
        name = "source \(identity.name)"
        (self.identity, self.source, self.normalizing, self.log) = (identity, source, normalizing, log)
        self.board = board
        settings = schedule.planSettings
        drift = DriftWatch(documented: normalizing.documentedFields, count: driftCount)
        configuredStart = schedule.start
        (self.timekeeper, self.logger) = (timekeeper, logger)
        setbacks = Setbacks(source: identity.name, gate: gate, draw: draw, logger: logger)
        progress = ProgressTeller(source: identity.name, display: display, logger: logger)
    }

    /// Asked to stop, it leaves at once, also from a request or from a wait for the account: a page on its way into the
    /// log gets there, the rest of its window is read again.
    package func run() async throws {
        _ = await stopSignal.unlessStopped { await self.pollUntilCancelled() }
    }

    private func pollUntilCancelled() async {
        guard var plans = await openPlans() else { return }
        defer { board.putBack() }
        while !Task.isCancelled {
            if let job = board.take(at: timekeeper.now) {
                await work(on: job, &plans)
                continue
            }
            let now = timekeeper.now
            switch plans.next(now: now, vendorNow: clock.now(now, elapsed: timekeeper.elapsed)) {
            case .wait(let duration):
                await sleepUnlessAsked(duration)
            case .read(let window, let lane, let purpose):
                await poll(window, lane, purpose, &plans)
            }
        }
    }

    package nonisolated func stop() async {
        stopSignal.stop()
    }

    /// One poll cycle: every live window that is due and the whole gap before it, once, stored as `run()` does. For
    /// `millrace poll`.
    package func pollOnce() async throws(SourceError) -> AppendResult {
        var plans: LanePlans
        do throws(LogError) {
            plans = try await storedPlans()
        } catch {
            throw SourceError(.store, doing: error.doing, cause: error.cause)
        }
        var total = AppendResult()
        while true {
            let now = timekeeper.now
            let step = plans.next(now: now, vendorNow: clock.now(now, elapsed: timekeeper.elapsed))
            guard case .read(let window, let lane, let purpose) = step, !purpose.isSweep else { return total }
            total += try await read(window, lane, purpose, &plans)
        }
    }

    // MARK: - One window

    func poll(
        _ window: Window, _ lane: String, _ purpose: WindowPlan.Purpose, _ plans: inout LanePlans
    ) async {
        do throws(SourceError) {
            let started = timekeeper.elapsed
            let result = try await read(window, lane, purpose, &plans)
            setbacks.worked()
            report(result, window, purpose, timekeeper.elapsed - started)
        } catch {
            if error.mayBeItsLength { plans.failed(window, lane: lane) }
            await wait(after: error)
        }
    }

    func read(
        _ window: Window, _ lane: String, _ purpose: WindowPlan.Purpose, _ plans: inout LanePlans
    ) async throws(SourceError) -> AppendResult {
        let begun = timekeeper.elapsed
        let gap = plans.gap(of: lane)
        var (total, firstVendorTime) = try await storePages(of: window, lane)
        var completed = plans
        completed.completed(
            window, lane: lane, purpose, rows: total.read, took: timekeeper.elapsed - begun,
            certain: firstVendorTime.map { $0 - settings.lag }, now: timekeeper.now)
        total += try await store(log.prepared([]), position: completed.position)
        plans = completed
        if purpose == .backfill, let gap { tell(gap, lane, plans.gap(of: lane), rows: total.read) }
        return total
    }

    /// A page is stored while the next one is fetched, normalized and prepared; never two at once, so that they get into
    /// the log in their order. One that cannot be stored ends its window at the next, and all are awaited in any case.
    func storePages(
        of window: Window, _ lane: String
    ) async throws(SourceError) -> (stored: AppendResult, firstVendorTime: Timestamp?) {
        var total = AppendResult()
        var firstVendorTime: Timestamp?
        let failure = await withTaskGroup(of: Result<AppendResult, SourceError>.self) { storing in
            do throws(SourceError) {
                try await source.read(window, lane: lane) { page throws(SourceError) in
                    if let time = page.vendorTime {
                        clock.saw(time, at: timekeeper.elapsed)
                        if firstVendorTime == nil { firstVendorTime = time }
                    }
                    guard !page.rows.isEmpty else { return }
                    for row in page.rows { drift.tell(row, of: identity.name, logger) }
                    let prepared = log.prepared(normalizing.normalize(page.rows))
                    if let stored = await storing.next() { total += try stored.get() }
                    storing.addTask { await self.stored(prepared) }
                }
                if let stored = await storing.next() { total += try stored.get() }
                return SourceError?.none
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return (total, firstVendorTime)
    }

    private func stored(_ page: PreparedPage) async -> Result<AppendResult, SourceError> {
        do throws(SourceError) { return .success(try await store(page, position: nil)) } catch {
            return .failure(error)
        }
    }

    /// - Parameters:
    ///   - gap: before the piece that was read.
    ///   - left: after it; nil when it is filled.
    private func tell(_ gap: Window, _ lane: String, _ left: Window?, rows: Int) {
        let (begun, before) = backfills[lane] ?? (gap.from, 0)
        backfills[lane] = left == nil ? nil : (begun, before + rows)
        guard let left else {
            if backfills.isEmpty { progress.done(rows: before + rows) }
            return
        }
        progress.tell(
            (left.from - begun) / .seconds(1), of: (left.to - begun) / .seconds(1), detail: left.from.rfc3339,
            rows: before + rows, elapsed: timekeeper.elapsed)
    }

    private func store(
        _ page: PreparedPage, position: SourcePosition?
    ) async throws(SourceError) -> AppendResult {
        do throws(LogError) {
            let result = try await log.append(page, from: identity, position: position)
            if result.rejected > 0 {
                logger.warning(
                    "rows went to quarantine",
                    [.source: .text(identity.name), .rejected: .count(result.rejected)])
            }
            return result
        } catch {
            throw SourceError(.store, doing: error.doing, cause: error.cause)
        }
    }

    // MARK: - Waiting

    private func wait(after error: SourceError) async {
        let delay = setbacks.wait(after: error)
        if delay > .zero { await sleep(delay) }
    }

    private func sleepUnlessAsked(_ duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sleep(duration) }
            group.addTask { await self.board.waitForWork() }
            await group.next()
            group.cancelAll()
        }
    }

    func sleep(_ duration: Duration) async {
        do throws(CancellationError) {
            try await timekeeper.sleep(for: duration)
        } catch {
            return
        }
    }

    private func report(
        _ result: AppendResult, _ window: Window, _ purpose: WindowPlan.Purpose, _ duration: Duration
    ) {
        let fields: KeyValuePairs<LogKey, LogValue> = [
            .source: .text(identity.name), .from: .text(window.from.rfc3339), .to: .text(window.to.rfc3339),
            .rows: .count(result.read), .stored: .count(result.stored), .updated: .count(result.updated),
            .duplicates: .count(result.duplicate), .duration: .duration(duration),
        ]
        let isNews = result.stored + result.updated > 0
        switch purpose {
        case .live: isNews ? logger.info("window read", fields) : logger.debug("window read", fields)
        case .sweep: isNews ? logger.info("sweep read", fields) : logger.debug("sweep read", fields)
        // A backfill has thousands of pieces, and lines of its own that say how far it is.
        case .backfill: logger.debug("piece of a backfill read", fields)
        }
    }

    // MARK: - Position

    /// Nil when the relay is stopped before the store could be read.
    private func openPlans() async -> LanePlans? {
        while !Task.isCancelled {
            do throws(LogError) {
                return try await storedPlans()
            } catch {
                await wait(after: SourceError(.store, doing: error.doing, cause: error.cause))
            }
        }
        return nil
    }

    private func storedPlans() async throws(LogError) -> LanePlans {
        let now = timekeeper.now
        guard let stored = try await log.position(of: identity) else {
            let plans = LanePlans(
                lanes: source.lanes, settings, state: nil, start: configuredStart ?? now, now: now)
            _ = try await log.append([], from: identity, position: plans.position)
            return plans
        }
        guard let state = LanePlans.State(stored), let begun = state.lanes.values.map(\.start).min() else {
            throw LogError(
                .corrupt, doing: "read the position of \(identity.name)", cause: "it cannot be decoded")
        }
        let start = Timestamp(milliseconds: begun)
        if let configuredStart, configuredStart != start {
            logger.warning(
                "a changed start is ignored, the source has begun already",
                [.source: .text(identity.name), .from: .text(start.rfc3339)])
        }
        return LanePlans(lanes: source.lanes, settings, state: state, start: start, now: now)
    }
}
