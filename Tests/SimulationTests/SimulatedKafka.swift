import CrashWorkload
import EventModel
import Ports

/// A cluster that takes batches, parts of them, or nothing, by schedule.
final class SimulatedKafka: BatchSink {
    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let arrivals: Shared<Arrivals>

    init(_ clock: VirtualClock, _ troubles: [FaultSchedule.Trouble], _ arrivals: Shared<Arrivals>) {
        (self.clock, self.troubles, self.arrivals) = (clock, troubles, arrivals)
    }

    func open() async -> Bool { true }
    func close() async {}

    func deliver(_ events: [StoredEvent]) async -> [Outcome] {
        arrivals.change { $0.offered(events) }
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(50))
        } catch {
            // What was under way when the process died may have arrived, the first ones before the others.
            arrivals.change { $0.accept(Array(events.prefix(events.count / 2)), isTold: false) }
            return events.map { _ in Self.notNow }
        }
        let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed)
        var (outcomes, held): ([Outcome], Set<String>) = ([], [])
        for event in events {
            // As an idempotent producer keeps a partition in order: behind one that failed nothing gets through.
            let outcome = held.contains(event.key) ? Self.notNow : Self.answer(to: event, trouble?.way)
            switch outcome {
            case .accepted: arrivals.change { $0.accept([event]) }
            case .refused: arrivals.change { $0.refuse([event]) }
            case .retry: held.insert(event.key)
            }
            outcomes.append(outcome)
        }
        return outcomes
    }

    /// Some events are too large for it at any time; in bad times it takes none, or some.
    private static func answer(to event: StoredEvent, _ way: Int?) -> Outcome {
        if SimulatedTransactions.isTooLarge(event) { return .refused(Outcome.Failure(reason: "too large")) }
        guard let way, way % 3 == 0 || event.offset % 3 == 0 else { return .accepted }
        return notNow
    }

    private static let notNow = Outcome.retry(Outcome.Failure(reason: "not now"))
}
