import EventModel
package import Persisting
package import Ports
package import Services

/// Carries the log to a sink that keeps the position with the events: Kafka, exactly once.
///
///     open ──▶ ResumePoint ──▶ read ──▶ commit (events + position) ──▶ the store's position
///                 ▲                        │
///                 └──────── unknown ◀──────┘
///
/// The other side's position decides; the store's is kept beside it, for the account and for what was filtered or given up.
/// One transaction after the other, so that order is kept; what comes next is read from the log meanwhile.
package actor TransactionPump: Service {
    package nonisolated let name: String
    private let sinkName: String
    private let sink: any TransactionalSink
    private let log: EventLog
    private let origin: SinkStart
    private let selection: SinkSelection
    private let adopts: Bool
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private let latency: LatencyMeter
    private let stopSignal = StopSignal()
    private var failures = 0
    private var ahead: ReadAhead?

    /// One transaction: enough to make its commit cheap, little enough to repeat.
    static let maxEvents = 10_000
    static let maxBytes = 8 << 20
    static let longestWait: Duration = .seconds(30)
    static let batchesAfterStop = 5

    /// - Parameters:
    ///   - sinkName: the key of the sink's position in the store.
    ///   - adopts: goes on from the store's position where the other side's belongs to another log.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    ///   - latency: gets how long each event took from the log to the other side, by the sink's name.
    package init(
        _ sinkName: String, sink: any TransactionalSink, log: EventLog, from start: SinkStart,
        selection: SinkSelection, adopts: Bool, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double, logger: Logger, latency: Metric? = nil
    ) {
        name = "sink \(sinkName)"
        (self.sinkName, self.sink, self.log) = (sinkName, sink, log)
        (origin, self.selection, self.adopts) = (start, selection, adopts)
        (self.timekeeper, self.draw, self.logger) = (timekeeper, draw, logger)
        self.latency = LatencyMeter(latency, sink: sinkName)
    }

    package func start() async throws {
        _ = try await log.openSink(sinkName, from: origin)
    }

    /// - Throws: `RelayStop` when the position belongs to another log, or another relay has taken over.
    package func run() async throws {
        var ledger = DeliveryLedger(try await log.openSink(sinkName, from: origin))
        do {
            var mustDrain = true
            while !stopSignal.isStopped, !Task.isCancelled {
                guard try await open(&ledger) else {
                    mustDrain = false
                    break
                }
                try await carry(&ledger)
            }
            if mustDrain { try await drain(&ledger) }
        } catch {
            await sink.close()
            throw error
        }
        await sink.close()
    }

    package nonisolated func stop() async {
        stopSignal.stop()
    }

    // MARK: - Where to go on

    /// False when the relay is stopped first.
    private func open(_ ledger: inout DeliveryLedger) async throws -> Bool {
        while !Task.isCancelled {
            let sink = self.sink
            switch await stopSignal.unlessStopped({ await sink.open() }) ?? nil {
            case nil:
                return false
            case .fenced(let cause):
                throw fenced(cause)
            case .failed(let cause):
                failures += 1
                if failures == 1 || failures % 10 == 0 {
                    logger.warning(
                        "Kafka cannot be published to yet, events wait in the log",
                        [.sink: .text(sinkName), .cause: .text(cause)])
                }
                await pause()
            case .ready(let remote):
                try await resume(remote, &ledger)
                return true
            }
        }
        return false
    }

    private func resume(_ remote: RemotePosition?, _ ledger: inout DeliveryLedger) async throws {
        let stored = ledger.window.progress.position
        let point = ResumePoint.decide(
            remote: remote, logID: log.logID, stored: stored, head: log.head, adopt: adopts)
        switch point {
        case .refused(let reason):
            throw RelayStop(.foreign, reason)
        case .at(let position):
            if position > stored {
                logger.info(
                    "a transaction was committed before its position was stored",
                    [.sink: .text(sinkName), .from: .count(stored), .to: .count(position)])
            }
            try await pass(to: position, &ledger)
        }
    }

    /// What the other side has already is counted without being sent again.
    private func pass(to position: Int64, _ ledger: inout DeliveryLedger) async throws {
        while ledger.window.progress.position < position, !Task.isCancelled {
            let events = try await log.events(
                after: ledger.window.progress.position, limit: Self.maxEvents, maxBytes: Self.maxBytes)
            guard !events.isEmpty else { return }
            passGap(before: events, &ledger)
            for event in events where event.offset <= position { settle(event, &ledger) }
            await store(&ledger)
        }
    }

    // MARK: - Carrying

    /// Returns when the relay is stopped, or when the sink has to be opened anew.
    private func carry(_ ledger: inout DeliveryLedger) async throws {
        while !stopSignal.isStopped, !Task.isCancelled {
            let position = ledger.window.progress.position
            let events = await read(after: position)
            guard let last = events.last else {
                let log = self.log
                _ = await stopSignal.unlessStopped { await log.waitForEvent(after: position) }
                continue
            }
            let (log, place) = (self.log, Self.place(after: last.offset))
            async let following = ReadAhead.read(log, place)
            let isOpen = try await publish(events, &ledger)
            ahead = await following
            guard isOpen else { return }
        }
    }

    /// After the stop was asked for, what came last is published, as long as it goes well.
    private func drain(_ ledger: inout DeliveryLedger) async throws {
        for _ in 0..<Self.batchesAfterStop where !Task.isCancelled && failures == 0 {
            let events = await read(after: ledger.window.progress.position)
            guard !events.isEmpty, try await publish(events, &ledger) else { return }
        }
    }

    private static func place(after position: Int64) -> ReadAhead.Place {
        ReadAhead.Place(after: position, limit: maxEvents, maxBytes: maxBytes)
    }

    private func read(after position: Int64) async -> [StoredEvent] {
        defer { ahead = nil }
        if let events = ahead?.events(at: Self.place(after: position)) { return events }
        switch await ReadAhead.read(log, Self.place(after: position)).events {
        case .success(let events):
            return events
        case .failure(let error):
            logger.warning(
                "events could not be read", [.sink: .text(sinkName), .cause: .text(error.description)])
            await pause()
            return []
        }
    }

    /// - Returns: false when the sink has to be opened anew.
    private func publish(_ events: [StoredEvent], _ ledger: inout DeliveryLedger) async throws -> Bool {
        passGap(before: events, &ledger)
        let open = events.filter { !ledger.window.isSettled($0.offset) }
        guard let last = events.last?.offset else { return true }
        let wanted = open.filter(selection.wants)
        let outcome = wanted.isEmpty ? .committed : await sink.commit(wanted, position: last)
        switch outcome {
        case .committed:
            failures = 0
            for event in open { settle(event, &ledger) }
            latency.acknowledged(wanted, at: timekeeper.now)
            await store(&ledger)
            return true
        case .refused(let reasons) where wanted.count == 1:
            // Alone, and refused: given up. What was filtered before it is passed with it.
            for event in open where event.offset != wanted[0].offset { settle(event, &ledger) }
            bury(wanted[0], reasons[0] ?? .init(reason: "refused"), &ledger)
            await store(&ledger)
            return true
        case .refused(let reasons):
            return try await isolate(events, wanted, Set(reasons.keys.map { wanted[$0].offset }), &ledger)
        case .aborted(let cause):
            await tell(cause)
            return true
        case .unknown(let cause):
            await tell(cause)
            return false
        case .fenced(let cause):
            throw fenced(cause)
        }
    }

    /// A broker refuses a whole batch for one record in it: each suspect is sent alone, in its place, and what lies between
    /// them together.
    private func isolate(
        _ events: [StoredEvent], _ wanted: [StoredEvent], _ suspects: Set<Int64>,
        _ ledger: inout DeliveryLedger
    ) async throws -> Bool {
        var part: [StoredEvent] = []
        for event in events {
            if suspects.contains(event.offset) {
                guard try await publishUntilSettled(part, &ledger),
                    try await publishUntilSettled([event], &ledger)
                else { return false }
                part = []
            } else {
                part.append(event)
            }
        }
        return try await publishUntilSettled(part, &ledger)
    }

    /// The transaction after an aborted one can fail once too: order allows nothing behind it before it is through.
    private func publishUntilSettled(
        _ events: [StoredEvent], _ ledger: inout DeliveryLedger
    ) async throws -> Bool {
        guard let last = events.last?.offset else { return true }
        while !ledger.window.isSettled(last) {
            if Task.isCancelled || (stopSignal.isStopped && failures > 0) { return false }
            guard try await publish(events, &ledger) else { return false }
        }
        return true
    }

    // MARK: - Settling

    /// Offsets are dense: a gap behind the position is what retention has cut.
    private func passGap(before events: [StoredEvent], _ ledger: inout DeliveryLedger) {
        let next = ledger.window.progress.position + 1
        guard let first = events.first?.offset, first > next else { return }
        ledger.expired(next...(first - 1))
    }

    private func settle(_ event: StoredEvent, _ ledger: inout DeliveryLedger) {
        guard !ledger.window.isSettled(event.offset) else { return }
        ledger.took(event.offset)
        if selection.wants(event) {
            ledger.delivered(event.offset, wasWaiting: false)
        } else {
            ledger.filtered(event.offset)
        }
    }

    private func bury(_ event: StoredEvent, _ reason: Outcome.Failure, _ ledger: inout DeliveryLedger) {
        logger.error(
            "event given up",
            [.sink: .text(sinkName), .event: .text(event.id.text), .reason: .text(reason.reason)])
        ledger.took(event.offset)
        ledger.died(
            DeadLetter(
                offset: event.offset, attempts: 1, died: timekeeper.now, status: reason.status,
                reason: reason.reason), wasWaiting: false)
    }

    /// A position that cannot be stored stays to be stored; the other side's is there in any case.
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

    // MARK: - Trouble

    private func tell(_ cause: String) async {
        guard !Task.isCancelled else { return }
        logger.warning(
            "transaction failed, will be tried again", [.sink: .text(sinkName), .cause: .text(cause)])
        await pause()
    }

    private func fenced(_ cause: String) -> RelayStop {
        RelayStop(
            .fenced,
            "\(sinkName): another relay of this name publishes now, this one must not go on (\(cause))")
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
