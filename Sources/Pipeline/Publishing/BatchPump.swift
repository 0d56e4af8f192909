import EventModel
package import Persisting
package import Ports
package import Services

/// Carries the log to a sink that takes batches in order: Kafka.
///
/// Reads a batch, delivers it, stores the position, reads the next. What fails is delivered again before anything behind
/// it is read, so order is kept; what was acknowledged meanwhile is remembered and not sent twice by this process.
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
    private let stopSignal = StopSignal()
    private var failures = 0

    /// One batch: enough to fill librdkafka's own batches, little enough to wait for.
    static let maxEvents = 2000
    static let maxBytes = 4 << 20
    static let longestWait: Duration = .seconds(30)
    static let batchesAfterStop = 5

    /// - Parameters:
    ///   - sinkName: the key of the sink's position in the store.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    package init(
        _ sinkName: String, sink: any BatchSink, log: EventLog, from start: SinkStart,
        selection: SinkSelection,
        timekeeper: any Timekeeper, draw: @escaping @Sendable () -> Double, logger: Logger
    ) {
        name = "sink \(sinkName)"
        (self.sinkName, self.sink, self.log) = (sinkName, sink, log)
        (origin, self.selection) = (start, selection)
        (self.timekeeper, self.draw, self.logger) = (timekeeper, draw, logger)
    }

    package func start() async throws {
        _ = try await log.openSink(sinkName, from: origin)
    }

    package func run() async throws {
        var ledger = DeliveryLedger(try await log.openSink(sinkName, from: origin))
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

    /// After the stop was asked for, nothing new is polled: what came last is published, as long as it goes well. A long
    /// backlog stays for the next start.
    private func drain(_ ledger: inout DeliveryLedger) async {
        for _ in 0..<Self.batchesAfterStop where !Task.isCancelled && failures == 0 {
            let events = await read(after: ledger.window.progress.position)
            if events.isEmpty { return }
            await deliver(events, &ledger)
        }
    }

    private func carry(_ ledger: inout DeliveryLedger) async {
        while !stopSignal.isStopped, !Task.isCancelled {
            let position = ledger.window.progress.position
            let events = await read(after: position)
            if events.isEmpty {
                let log = self.log
                _ = await stopSignal.unlessStopped { await log.waitForEvent(after: position) }
                continue
            }
            await deliver(events, &ledger)
        }
    }

    private func read(after position: Int64) async -> [StoredEvent] {
        do throws(LogError) {
            return try await log.events(after: position, limit: Self.maxEvents, maxBytes: Self.maxBytes)
        } catch {
            logger.warning(
                "events could not be read", [.sink: .text(sinkName), .cause: .text(error.description)])
            await pause()
            return []
        }
    }

    private func deliver(_ events: [StoredEvent], _ ledger: inout DeliveryLedger) async {
        var wanted: [StoredEvent] = []
        for event in events where !ledger.window.isSettled(event.offset) {
            ledger.took(event.offset)
            if selection.wants(event) { wanted.append(event) } else { ledger.filtered(event.offset) }
        }
        let outcomes = wanted.isEmpty ? [] : await sink.deliver(wanted)
        var failure: Outcome.Failure?
        for (event, outcome) in zip(wanted, outcomes) {
            switch outcome {
            case .accepted:
                ledger.delivered(event.offset, wasWaiting: false)
            case .refused(let reason):
                bury(event, reason, &ledger)
            case .retry(let reason, _):
                failure = failure ?? reason
            }
        }
        await store(&ledger)
        guard let failure, !Task.isCancelled else {
            failures = 0
            return
        }
        logger.warning(
            "delivery failed, will be tried again", [.sink: .text(sinkName), .cause: .text(failure.reason)])
        await pause()
    }

    private func bury(_ event: StoredEvent, _ reason: Outcome.Failure, _ ledger: inout DeliveryLedger) {
        logger.error(
            "event given up",
            [.sink: .text(sinkName), .event: .text(event.id.text), .reason: .text(reason.reason)])
        ledger.died(
            DeadLetter(
                offset: event.offset, attempts: 1, died: timekeeper.now, status: reason.status,
                reason: reason.reason),
            wasWaiting: false)
    }

    /// A position that cannot be stored stays to be stored: what it covers is delivered, so this can only repeat, not lose.
    private func store(_ ledger: inout DeliveryLedger) async {
        guard ledger.isDirty else { return }
        let update = ledger.take()
        do throws(LogError) {
            try await log.settle(sinkName, update)
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
