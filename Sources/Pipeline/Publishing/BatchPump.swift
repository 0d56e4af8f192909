import EventModel
package import Persisting
package import Ports
package import Services

/// Carries the log to a sink that takes batches in order: Kafka, at least once.
///
///     position ──▶ │ batch under way │ batch under way │ batch under way │ ◀── cursor ──▶ │ read next
///
/// Several batches are under way at a time, bounded in number and bytes; they are settled in their order, so the position is
/// the lowest offset that is not acknowledged yet (promise L4). When something fails, nothing new is sent until everything
/// under way is settled; then what is open is sent again, and behind it what came after it under the same keys
/// (`FlightVerdicts`, `HeldKeys`).
/// What is refused is looked for by halves and given up only alone (`BatchLimit`).
package actor BatchPump: Service {
    package nonisolated let name: String
    private let sinkName: String
    private let sink: any BatchSink
    private let log: EventLog
    private let origin: SinkStart
    private let selection: SinkSelection
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private let latency: LatencyMeter
    private let stopSignal = StopSignal()
    private var failures = 0
    private var flights = FlightPlan(limit: BatchLimit(most: maxEvents))
    private var ahead: ReadAhead?
    private var lastStored: Duration = .zero

    /// One batch: enough to fill librdkafka's own batches and to make reading cheap, little enough to hold several.
    static let maxEvents = 2000
    static let maxBytes = 2 << 20
    /// Everything under way together; librdkafka keeps a copy, so it costs twice as much.
    static let maxBytesUnderWay = 8 << 20
    static let maxBatchesUnderWay = 8
    static let batchesReadAtOnce = 64
    /// A position stored more seldom repeats more after a crash, one stored more often costs a disk write each.
    static let storeEvery: Duration = .milliseconds(200)
    static let longestWait: Duration = .seconds(30)
    static let batchesAfterStop = 5

    /// - Parameters:
    ///   - sinkName: the key of the sink's position in the store.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    ///   - latency: gets how long each event took from the log to the other side, by the sink's name.
    package init(
        _ sinkName: String, sink: any BatchSink, log: EventLog, from start: SinkStart,
        selection: SinkSelection,
        timekeeper: any Timekeeper, draw: @escaping @Sendable () -> Double, logger: Logger,
        latency: Metric? = nil
    ) {
        name = "sink \(sinkName)"
        (self.sinkName, self.sink, self.log) = (sinkName, sink, log)
        (origin, self.selection) = (start, selection)
        (self.timekeeper, self.draw, self.logger) = (timekeeper, draw, logger)
        self.latency = LatencyMeter(latency, sink: sinkName)
    }

    package func start() async throws {
        _ = try await log.openSink(sinkName, from: origin)
    }

    package func run() async throws {
        var ledger = DeliveryLedger(try await log.openSink(sinkName, from: origin))
        flights.cursor = ledger.window.progress.position
        if await open() {
            await carry(&ledger)
            await drain(&ledger)
        }
        await sink.close()
    }

    package nonisolated func stop() async {
        stopSignal.stop()
    }

    private func open() async -> Bool {
        let sink = self.sink
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await sink.open() }
            group.addTask { [stopSignal] in
                await stopSignal.wait()
                return nil
            }
            if let isOpen = await group.next() ?? nil {
                group.cancelAll()
                return isOpen
            }
            // Asked to stop while it opens: it may be half way with a cluster that is there.
            group.cancelAll()
            return await group.next().flatMap { $0 } ?? false
        }
    }

    private func carry(_ ledger: inout DeliveryLedger) async {
        while !stopSignal.isStopped, !Task.isCancelled {
            await fill(&ledger)
            if !flights.isEmpty {
                await settleFirst(&ledger)
            } else if !stopSignal.isStopped {
                await store(&ledger)
                let (log, cursor) = (self.log, flights.cursor)
                _ = await stopSignal.unlessStopped { await log.waitForEvent(after: cursor) }
            }
        }
    }

    /// After the stop was asked for, nothing new is polled: what came last is published, as long as it goes well. A long
    /// backlog stays for the next start.
    private func drain(_ ledger: inout DeliveryLedger) async {
        for _ in 0..<Self.batchesAfterStop where !Task.isCancelled && failures == 0 {
            await sendNext(&ledger)
            if flights.isEmpty { break }
            await settleFirst(&ledger)
        }
        while !flights.isEmpty { await settleFirst(&ledger) }
        await store(&ledger)
    }

    // MARK: - Sending

    /// Sends until there is nothing left to read or enough under way.
    private func fill(_ ledger: inout DeliveryLedger) async {
        // Batches of which everything is settled or held take no room: what is under way is looked at in between all the same.
        for _ in 0..<Self.batchesReadAtOnce
        where flights.hasRoom && !stopSignal.isStopped && !Task.isCancelled {
            guard await sendNext(&ledger) else { return }
            await storeInTime(&ledger)
        }
    }

    /// Sends the next batch while the one after it is read. False when there is none.
    @discardableResult
    private func sendNext(_ ledger: inout DeliveryLedger) async -> Bool {
        let events = await next()
        guard let first = events.first, let last = events.last else { return false }
        // Offsets are dense: a gap is what retention has cut.
        if first.offset > flights.cursor + 1 { ledger.expired((flights.cursor + 1)...(first.offset - 1)) }
        flights.cursor = last.offset
        let (log, place) = (self.log, flights.place)
        async let following = ReadAhead.read(log, place)
        send(events, &ledger)
        ahead = await following
        return true
    }

    private func next() async -> [StoredEvent] {
        defer { ahead = nil }
        if let events = ahead?.events(at: flights.place) { return events }
        switch await ReadAhead.read(log, flights.place).events {
        case .success(let events):
            return events
        case .failure(let error):
            logger.warning(
                "events could not be read", [.sink: .text(sinkName), .cause: .text(error.description)])
            await pause()
            return []
        }
    }

    private func send(_ events: [StoredEvent], _ ledger: inout DeliveryLedger) {
        flights.releaseKeys { ledger.window.isSettled($0) }
        var wanted: [StoredEvent] = []
        var isShortened = false
        wanted.reserveCapacity(events.count)
        for event in events where !ledger.window.isSettled(event.offset) {
            ledger.took(event.offset)
            if !selection.wants(event) {
                ledger.filtered(event.offset)
            } else if flights.holds(event) {
                isShortened = true
            } else {
                wanted.append(event)
            }
        }
        if isShortened { flights.leaveOut() }
        if !wanted.isEmpty { flights.add(wanted, sink.begin(wanted), isShortened: isShortened) }
    }

    // MARK: - Settling

    private func settleFirst(_ ledger: inout DeliveryLedger) async {
        var verdicts = FlightVerdicts()
        let flight = await land(&verdicts, &ledger)
        if verdicts.retry == nil, verdicts.refusal == nil {
            failures = 0
            // A batch that was shortened for a held key says nothing of a longer one.
            if !flight.isShortened { flights.limit.accepted() }
            flights.turnBack(to: ledger.window.progress.position)
        } else {
            await recover(flight, verdicts, &ledger)
        }
        await storeInTime(&ledger)
    }

    private func land(_ verdicts: inout FlightVerdicts, _ ledger: inout DeliveryLedger) async
        -> FlightPlan.Flight
    {
        let flight = flights.first
        let failures = await flight.delivery.failures()
        flights.removeFirst()
        let delivered = verdicts.landed(flight.events, failures)
        for event in delivered { ledger.delivered(event.offset, wasWaiting: false) }
        latency.acknowledged(delivered, at: timekeeper.now)
        return flight
    }

    /// Waits for everything under way, gives up what was refused alone, and goes back to the first event that is open.
    private func recover(
        _ flight: FlightPlan.Flight, _ first: FlightVerdicts, _ ledger: inout DeliveryLedger
    ) async {
        var all = first
        while !flights.isEmpty { _ = await land(&all, &ledger) }
        // A broker that is in trouble says so of everything: only a clean refusal counts as one.
        if let refusal = first.refusal, first.retry == nil,
            flights.limit.refused(batchOf: flight.events.count) == .giveUp
        {
            bury(flight.events[0], refusal, &ledger)
        }
        flights.hold(all.failedKeys)
        flights.goBack(to: ledger.window.progress.position)
        guard let retry = all.retry, !Task.isCancelled else { return }
        logger.warning(
            "delivery failed, will be tried again", [.sink: .text(sinkName), .cause: .text(retry.reason)])
        await store(&ledger)
        await pause()
    }

    private func bury(_ event: StoredEvent, _ reason: Outcome.Failure, _ ledger: inout DeliveryLedger) {
        logger.error(
            "event given up",
            [.sink: .text(sinkName), .event: .text(event.id.text), .reason: .text(reason.reason)])
        ledger.died(
            DeadLetter(
                offset: event.offset, attempts: BatchLimit.refusalsAlone, died: timekeeper.now,
                status: reason.status, reason: reason.reason),
            wasWaiting: false)
    }

    private func storeInTime(_ ledger: inout DeliveryLedger) async {
        if flights.isEmpty || timekeeper.elapsed - lastStored >= Self.storeEvery { await store(&ledger) }
    }

    /// A position that cannot be stored stays to be stored: what it covers is delivered, so this can only repeat, not lose.
    private func store(_ ledger: inout DeliveryLedger) async {
        guard ledger.isDirty else { return }
        let update = ledger.take()
        do throws(LogError) {
            try await log.settle(sinkName, update)
            lastStored = timekeeper.elapsed
        } catch {
            ledger.putBack(update)
            logger.warning(
                "position could not be stored", [.sink: .text(sinkName), .cause: .text(error.description)])
            await pause()
        }
    }

    private func pause() async {
        failures += 1
        let wait = min(.milliseconds(250) * (1 << min(failures, 10)), Self.longestWait) * (0.5 + draw() / 2)
        let timekeeper = self.timekeeper
        _ = await stopSignal.unlessStopped {
            do throws(CancellationError) { try await timekeeper.sleep(for: wait) } catch { return }
        }
    }
}
