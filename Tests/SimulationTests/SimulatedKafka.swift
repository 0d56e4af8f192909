import CrashWorkload
import EventModel
import Ports

/// A cluster that takes batches, parts of them, or nothing, by schedule.
final class SimulatedKafka: BatchSink {
    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let arrivals: Shared<Arrivals>
    private let flow = Shared(Flow())

    /// What is under way, and the keys behind which nothing gets through until all of it has landed.
    private struct Flow: Sendable {
        var underWay = 0
        var held: Set<String> = []
        /// The refused event of a key: the relay sends what got through behind it once more, should the refusal not last.
        var refused: [String: Int64] = [:]
    }

    init(_ clock: VirtualClock, _ troubles: [FaultSchedule.Trouble], _ arrivals: Shared<Arrivals>) {
        (self.clock, self.troubles, self.arrivals) = (clock, troubles, arrivals)
    }

    func open() async -> Bool { true }
    func close() async {}

    func begin(_ events: [StoredEvent]) -> any BatchDelivery {
        arrivals.change { arrivals in
            arrivals.offered(events)
            arrivals.underWay += 1
        }
        flow.change { flow in
            if flow.underWay == 0 { (flow.held, flow.refused) = ([], [:]) }
            flow.underWay += 1
        }
        return Flight(cluster: self, events: events)
    }

    private struct Flight: BatchDelivery {
        let cluster: SimulatedKafka
        let events: [StoredEvent]

        func failures() async -> [Int: Outcome] {
            let outcomes = await cluster.land(events)
            return Dictionary(
                uniqueKeysWithValues: outcomes.enumerated().filter { $0.element != .accepted }
                    .map { ($0.offset, $0.element) })
        }
    }

    private func land(_ events: [StoredEvent]) async -> [Outcome] {
        defer {
            flow.change { $0.underWay -= 1 }
            arrivals.change { $0.underWay -= 1 }
        }
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(50))
        } catch {
            // What was under way when the process died may have arrived, the first ones before the others.
            arrivals.change { $0.accept(Array(events.prefix(events.count / 2)), isTold: false) }
            return events.map { _ in Self.notNow }
        }
        let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed)
        var outcomes: [Outcome] = []
        for event in events {
            // As an idempotent producer keeps a partition in order: behind one that failed nothing gets through.
            let isHeld = flow.change { $0.held.contains(event.key) }
            let outcome = isHeld ? Self.notNow : Self.answer(to: event, trouble?.way)
            switch outcome {
            case .accepted:
                let refused = flow.change { $0.refused[event.key] }
                arrivals.change { $0.accept([event], behind: refused) }
            case .refused:
                arrivals.change { $0.refuse([event]) }
                flow.change { $0.refused[event.key] = event.offset }
            case .retry: flow.change { _ = $0.held.insert(event.key) }
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
