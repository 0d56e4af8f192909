import EventModel
package import Persisting
package import Ports
package import Services

/// Carries the log to a sink that takes single events, many at once: one webhook subscription.
///
/// Up to `concurrency` deliveries are under way; a new one is taken for each that finished. What fails becomes a retry row
/// in the store with the time of its next attempt, so a restart goes on where it was, and the position moves past it: one
/// failing event holds nobody up. A subscription with many waiting reads no further until they are fewer.
package actor EventPump: Service {
    package nonisolated let name: String
    private let subscription: String
    private let sink: any EventSink
    private let log: EventLog
    private let origin: SinkStart
    private let selection: SinkSelection
    private let schedule: RetrySchedule
    private let concurrency: Int
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private let stopSignal = StopSignal()

    /// More waiting retries than this, and nothing new is read.
    static let maxWaiting: Int64 = 10_000
    /// Settled deliveries are stored together, at the latest after this time.
    static let flushEvery: Duration = .milliseconds(20)
    /// … and after this one when the store has just refused.
    static let flushAfterRefusal: Duration = .seconds(2)

    /// - Parameters:
    ///   - subscription: the key of the position in the store: `webhook/NAME`.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    package init(
        _ subscription: String, sink: any EventSink, log: EventLog, from start: SinkStart,
        selection: SinkSelection,
        schedule: RetrySchedule, concurrency: Int, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double,
        logger: Logger
    ) {
        name = "sink \(subscription)"
        (self.subscription, self.sink, self.log, origin) = (subscription, sink, log, start)
        (self.selection, self.schedule, self.concurrency) = (selection, schedule, concurrency)
        (self.timekeeper, self.draw, self.logger) = (timekeeper, draw, logger)
    }

    package nonisolated func stop() async {
        stopSignal.stop()
    }

    package func start() async throws {
        _ = try await log.openSink(subscription, from: origin)
    }

    package func run() async throws {
        var state = State(DeliveryLedger(try await log.openSink(subscription, from: origin)))
        await withTaskGroup(of: Note.self) { group in
            group.addTask { [stopSignal] in
                await stopSignal.wait()
                return .stopAsked
            }
            while await step(&state, &group) {}
            group.cancelAll()
        }
        await store(&state)
    }

    // MARK: - The loop

    private enum Note: Sendable {
        case attempted(Delivery, Outcome)
        case newEvents
        case retryDue
        case flushDue
        case stopAsked
    }

    /// One event on its way: fresh from the log, or again.
    private struct Delivery: Sendable {
        let event: StoredEvent
        /// What the store knows of its earlier attempts; nil for the first.
        let waiting: RetryRow?
    }

    private struct State {
        var ledger: DeliveryLedger
        /// Read from the log or from the retry rows, not yet started.
        var ready: [Delivery] = []
        /// Offsets that are ready or under way.
        var busy: Set<Int64> = []
        var underWay = 0
        var waitingRows: Int64 = 0
        var nextDue: Timestamp?
        var mayHaveRetries = true
        var watchesLog = false
        var timerDue: Timestamp?
        var flushIsPlanned = false
        var storeRefuses = false
        var isStopping = false

        init(_ ledger: DeliveryLedger) {
            self.ledger = ledger
        }
    }

    /// Starts what can be started, then waits for one thing to happen. False when the pump is done.
    private func step(_ state: inout State, _ group: inout TaskGroup<Note>) async -> Bool {
        if !state.isStopping {
            await fill(&state)
            startDeliveries(&state, &group)
            watch(&state, &group)
        } else if state.underWay == 0 {
            return false
        }
        guard let note = await group.next() else { return false }
        switch note {
        case .attempted(let delivery, let outcome):
            state.underWay -= 1
            state.busy.remove(delivery.event.offset)
            settle(delivery, outcome, &state)
            planFlush(&state, &group)
        case .newEvents:
            state.watchesLog = false
        case .retryDue:
            // Looked up as soon as the budget has room; until then no timer is needed.
            (state.timerDue, state.nextDue) = (nil, nil)
            state.mayHaveRetries = true
        case .flushDue:
            state.flushIsPlanned = false
            await store(&state)
        case .stopAsked:
            state.isStopping = true
            for delivery in state.ready { state.busy.remove(delivery.event.offset) }
            state.ready = []
        }
        return true
    }

    /// Fetches work up to the budget: retries whose time has come first, then new events.
    private func fill(_ state: inout State) async {
        let room = concurrency * 2 - state.ready.count - state.underWay
        guard room > 0 else { return }
        do throws(LogError) {
            if state.mayHaveRetries { try await fetchRetries(&state, room: room) }
            if state.ready.count < concurrency, state.waitingRows < Self.maxWaiting {
                try await fetchNew(&state, room: room)
            }
        } catch {
            logger.warning(
                "events could not be read", [.sink: .text(subscription), .cause: .text(error.description)])
            state.timerDue = nil
            state.nextDue = timekeeper.now + .seconds(1)
        }
    }

    private func fetchRetries(_ state: inout State, room: Int) async throws(LogError) {
        // Rows of deliveries that are under way are due too: they are asked for and skipped.
        let limit = room + state.busy.count
        // What was settled and is not stored would be found as waiting still, and be sent and counted twice.
        await store(&state)
        guard !state.ledger.isDirty else { return }
        let found = try await log.dueRetries(of: subscription, at: timekeeper.now, limit: limit)
        state.waitingRows = found.count
        state.nextDue = found.next
        let startable = found.due.filter { !state.busy.contains($0.offset) }
        state.mayHaveRetries = startable.count > room || found.due.count == limit
        for row in startable.prefix(room) {
            guard let event = try await log.event(at: row.offset) else { continue }
            state.busy.insert(row.offset)
            state.ready.append(Delivery(event: event, waiting: row))
        }
    }

    private func fetchNew(_ state: inout State, room: Int) async throws(LogError) {
        let events = try await log.events(
            after: state.ledger.window.taken, limit: max(room, 64), maxBytes: 4 << 20)
        for event in events where !state.ledger.window.isSettled(event.offset) {
            state.ledger.took(event.offset)
            if selection.wants(event) {
                state.busy.insert(event.offset)
                state.ready.append(Delivery(event: event, waiting: nil))
            } else {
                state.ledger.filtered(event.offset)
            }
        }
        if let last = events.last { state.ledger.took(last.offset) }
    }

    private func startDeliveries(_ state: inout State, _ group: inout TaskGroup<Note>) {
        let count = min(state.ready.count, concurrency - state.underWay)
        guard count > 0 else { return }
        for delivery in state.ready.prefix(count) {
            group.addTask { [sink] in .attempted(delivery, await sink.deliver(delivery.event)) }
        }
        state.underWay += count
        state.ready.removeFirst(count)
    }

    /// Makes sure that whatever can happen next wakes the loop.
    private func watch(_ state: inout State, _ group: inout TaskGroup<Note>) {
        let taken = state.ledger.window.taken
        if !state.watchesLog, state.ready.isEmpty, log.head <= taken {
            state.watchesLog = true
            group.addTask { [log] in
                await log.waitForEvent(after: taken)
                return .newEvents
            }
        }
        if let due = state.nextDue, state.timerDue.map({ due < $0 }) ?? true {
            state.timerDue = due
            group.addTask { [timekeeper] in
                do throws(CancellationError) {
                    try await timekeeper.sleep(for: max(.milliseconds(1), due - timekeeper.now))
                } catch {
                    return .flushDue
                }
                return .retryDue
            }
        }
        if state.ledger.isDirty { planFlush(&state, &group) }
    }

    private func planFlush(_ state: inout State, _ group: inout TaskGroup<Note>) {
        guard !state.flushIsPlanned else { return }
        state.flushIsPlanned = true
        let wait = state.storeRefuses ? Self.flushAfterRefusal : Self.flushEvery
        group.addTask { [timekeeper] in
            do throws(CancellationError) { try await timekeeper.sleep(for: wait) } catch { return .flushDue }
            return .flushDue
        }
    }

    // MARK: - Outcomes

    private func settle(_ delivery: Delivery, _ outcome: Outcome, _ state: inout State) {
        let offset = delivery.event.offset
        let wasWaiting = delivery.waiting != nil
        switch outcome {
        case .accepted:
            state.ledger.delivered(offset, wasWaiting: wasWaiting)
        case .refused(let failure):
            bury(delivery, failure, attempts: (delivery.waiting?.attempts ?? 0) + 1, &state)
        case .retry(let failure, let notBefore):
            // Cancelled at the deadline: no attempt was completed, so nothing is counted; it is done again at next start.
            if !Task.isCancelled { waitOrBury(delivery, failure, notBefore: notBefore, &state) }
        }
    }

    private func waitOrBury(
        _ delivery: Delivery, _ failure: Outcome.Failure, notBefore: Duration?, _ state: inout State
    ) {
        let now = timekeeper.now
        let attempts = (delivery.waiting?.attempts ?? 0) + 1
        let firstFailed = delivery.waiting?.firstFailed ?? now
        guard let wait = schedule.wait(afterAttempts: attempts, since: now - firstFailed, draw: draw()) else {
            return bury(delivery, failure, attempts: attempts, &state)
        }
        let due = now + max(wait, notBefore ?? .zero)
        state.ledger.waits(
            RetryRow(
                offset: delivery.event.offset, attempts: attempts, due: due, firstFailed: firstFailed,
                status: failure.status, reason: failure.reason))
        state.waitingRows += delivery.waiting == nil ? 1 : 0
        state.nextDue = min(state.nextDue ?? due, due)
        logger.info(
            "delivery failed, will be tried again",
            [
                .sink: .text(subscription), .event: .text(delivery.event.id.text), .attempt: .count(attempts),
                .reason: .text(failure.reason), .delay: .duration(due - now),
            ])
    }

    private func bury(
        _ delivery: Delivery, _ failure: Outcome.Failure, attempts: Int, _ state: inout State
    ) {
        logger.error(
            "event given up",
            [
                .sink: .text(subscription), .event: .text(delivery.event.id.text), .attempt: .count(attempts),
                .reason: .text(failure.reason),
            ])
        state.ledger.died(
            DeadLetter(
                offset: delivery.event.offset, attempts: attempts, died: timekeeper.now,
                status: failure.status,
                reason: failure.reason), wasWaiting: delivery.waiting != nil)
    }

    /// What cannot be stored now stays to be stored: it is delivered, so this can only repeat, not lose.
    private func store(_ state: inout State) async {
        guard state.ledger.isDirty else { return }
        let update = state.ledger.take()
        do throws(LogError) {
            try await log.settle(subscription, update)
            state.storeRefuses = false
        } catch {
            state.ledger.putBack(update)
            state.storeRefuses = true
            logger.warning(
                "position could not be stored",
                [.sink: .text(subscription), .cause: .text(error.description)])
        }
    }
}
