import EventModel
import Persisting
import Ports
import Publishing
import Services

/// Carries one replay from its position to its end.
///
///     LogReader ──▶ types ──▶ target (all of a batch settled) ──▶ position in the store ──▶ pace
///
/// At least once: a batch that was under way when the process ended is sent again, under the same ids. A store that
/// does not answer is waited for; what was delivered meanwhile is not sent again.
struct ReplayRun: Sendable {
    let log: EventLog
    let reader: LogReader
    let target: any ReplayTarget
    let timekeeper: any Timekeeper
    let draw: @Sendable () -> Double
    let stop: StopSignal
    let logger: Logger
    let store: PatientStore
    /// Told after every step.
    let didProceed: @Sendable (ReplayRecord) -> Void

    static let maxBytes = 4 << 20
    /// Attempts at one batch after which what still fails is given up, if the rest of it was accepted: one event that the
    /// other side cannot take must not hold all others for ever. An other side that takes nothing is waited for.
    static let rounds = 12

    func carry(_ record: ReplayRecord) async -> ReplayRecord {
        var record = record
        let pace = ReplayPace(rate: record.rate)
        var begun = timekeeper.elapsed
        let before = record.delivered + record.dead
        guard await stop.unlessStopped({ await target.open() }) == true else { return record }
        while record.state == .running, record.pending > 0, !stop.isStopped, !Task.isCancelled {
            guard let events = await read(record, pace.batch(atMost: target.batchLimit)),
                await settle(events, &record)
            else { break }
            await keep(record)
            didProceed(record)
            let sent = record.delivered + record.dead - before
            begun = pace.begun(begun, afterSending: sent, at: timekeeper.elapsed)
            await stop.wait(pace.wait(afterSending: sent, in: timekeeper.elapsed - begun), by: timekeeper)
        }
        if record.state == .running, record.pending == 0 { record.state = .done }
        await target.close()
        return record
    }

    /// Nil when it was stopped before the store answered.
    private func read(_ record: ReplayRecord, _ limit: Int) async -> [StoredEvent]? {
        let events = await store.ask { () async throws(LogError) in
            try await reader.events(after: record.position, limit: limit, maxBytes: Self.maxBytes)
        }
        return events?.filter { $0.offset < record.until }
    }

    private func keep(_ record: ReplayRecord) async {
        await store.ask { () async throws(LogError) in try await log.storeReplay(record) }
    }

    /// - Returns: false when it was stopped before everything of the batch was settled.
    private func settle(_ events: [StoredEvent], _ record: inout ReplayRecord) async -> Bool {
        // Offsets are dense: what is not there any more was removed by retention.
        let end = events.last?.offset ?? record.until - 1
        let wanted = events.filter { record.types.match($0.type) }
        guard let result = await deliver(wanted, &record) else { return false }
        record.expired += end - record.position - Int64(events.count)
        record.filtered += Int64(events.count - wanted.count)
        record.delivered += Int64(result.delivered)
        record.dead += Int64(result.dead)
        record.position = end
        record.failure = record.state == .failed ? record.failure : nil
        return true
    }

    /// Sends what is open again and again until all of it is settled; nil when it was stopped or ended before.
    private func deliver(
        _ events: [StoredEvent], _ record: inout ReplayRecord
    ) async -> (delivered: Int, dead: Int)? {
        var (open, delivered, dead, failures) = (events, 0, 0, 0)
        while !open.isEmpty {
            guard !stop.isStopped, !Task.isCancelled else { return nil }
            let outcomes: [Outcome]
            switch await target.deliver(open) {
            case .settled(let settled): outcomes = settled
            case .ended(let reason):
                (record.state, record.failure) = (.failed, reason)
                return nil
            }
            let round = Round(open, outcomes)
            delivered += round.accepted
            dead += refuse(round.refused)
            open = round.again
            guard !open.isEmpty else { break }
            failures += 1
            if failures >= Self.rounds, delivered > 0 {
                dead += refuse(open.map { ($0, round.reason) })
                break
            }
            record.failure = round.reason
            didProceed(record)
            await stop.wait(
                max(round.wait, ReplayPace.pause(afterFailures: failures, draw: draw())), by: timekeeper)
        }
        return (delivered, dead)
    }

    private func refuse(_ events: [(event: StoredEvent, reason: String)]) -> Int {
        for (event, reason) in events {
            logger.error(
                "replayed event given up", [.event: .text(event.id.text), .reason: .text(reason)])
        }
        return events.count
    }

}

/// What became of one attempt at a batch. Pure.
struct Round {
    var accepted = 0
    var refused: [(event: StoredEvent, reason: String)] = []
    var again: [StoredEvent] = []
    /// The longest wait the other side asked for.
    var wait: Duration = .zero
    /// Of the first that failed.
    var reason = ""

    init(_ events: [StoredEvent], _ outcomes: [Outcome]) {
        for (event, outcome) in zip(events, outcomes) {
            switch outcome {
            case .accepted: accepted += 1
            case .refused(let failure): refused.append((event, failure.reason))
            case .retry(let failure, let notBefore):
                if again.isEmpty { reason = failure.reason }
                again.append(event)
                wait = max(wait, notBefore ?? .zero)
            }
        }
    }
}
