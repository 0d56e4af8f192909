package import EventModel
package import Ports
import Persisting
import Synchronization

/// Sends events of a replay to a subscription's endpoint: with its settings, outside its order, beside its live flow.
///
/// A few deliveries at once, fewer than the live flow may have, so that it keeps its share of the endpoint. While the
/// subscription is held or its circuit is open, the replay waits as the live flow does.
package struct SubscriptionReplay: ReplayTarget {
    private let engine: DeliveryEngine
    private let sink: String
    private let replay: String

    private static let mostAtOnce = 4
    private static let heldWait: Duration = .seconds(5)
    private static let circuitWait: Duration = .seconds(30)

    init(_ engine: DeliveryEngine, sink: String, replay: String) {
        (self.engine, self.sink, self.replay) = (engine, sink, replay)
    }

    package var batchLimit: Int { 32 }

    package func open() async -> Bool { true }
    package func close() async {}

    package func deliver(_ events: [StoredEvent]) async -> ReplayAnswer {
        guard let lane = engine.lanes.withLock({ $0[sink] }) else {
            return .ended("the subscription is gone")
        }
        let (subscription, health) = lane.read { ($0.subscription, $0.health) }
        if health.state != .active {
            return wait(events, "the subscription is \(health.state.rawValue)", Self.heldWait)
        }
        if health.isCircuitOpen {
            return wait(events, "the subscription's circuit is open", Self.circuitWait)
        }
        let parcels = parcels(events, batch: subscription.batch)
        let results = await send(
            parcels, to: lane.endpoint, atOnce: min(Self.mostAtOnce, subscription.concurrency))
        return answer(parcels, results)
    }

    private func wait(_ events: [StoredEvent], _ reason: String, _ time: Duration) -> ReplayAnswer {
        .settled(events.map { _ in .retry(Outcome.Failure(reason: reason), notBefore: time) })
    }

    /// In the form the subscription gets them live.
    private func parcels(_ events: [StoredEvent], batch: Int) -> [Parcel] {
        stride(from: 0, to: events.count, by: batch).map { begin in
            Parcel(
                events: Array(events[begin..<min(begin + batch, events.count)]), attempt: 1, firstFailed: nil,
                hasRow: false, isBatch: batch > 1, isProbe: false)
        }
    }

    private func send(_ parcels: [Parcel], to endpoint: any Endpoint, atOnce: Int) async -> [AttemptResult] {
        var results = [AttemptResult?](repeating: nil, count: parcels.count)
        await withTaskGroup(of: (Int, AttemptResult).self) { group in
            for (place, parcel) in parcels.enumerated() {
                if place >= atOnce, let (done, result) = await group.next() { results[done] = result }
                group.addTask { (place, await self.attempt(parcel, endpoint)) }
            }
            for await (done, result) in group { results[done] = result }
        }
        return results.compactMap { $0 }
    }

    private func attempt(_ parcel: Parcel, _ endpoint: any Endpoint) async -> AttemptResult {
        let delivery = Delivery(
            id: parcel.id, events: parcel.events, isBatch: parcel.isBatch, attempt: 1, replay: replay)
        return await withCheckedContinuation { continuation in
            endpoint.begin(delivery) { continuation.resume(returning: $0) }
        }
    }

    private func answer(_ parcels: [Parcel], _ results: [AttemptResult]) -> ReplayAnswer {
        if results.contains(where: { $0.verdict == .gone }) { return .ended("the endpoint answered 410") }
        return .settled(
            zip(parcels, results).flatMap { parcel, result in
                parcel.events.map { _ in Self.outcome(result, isAlone: parcel.events.count == 1) }
            })
    }

    private static func outcome(_ result: AttemptResult, isAlone: Bool) -> Outcome {
        let failure = Outcome.Failure(status: result.status, reason: result.reason)
        switch result.verdict {
        case .accepted: return .accepted
        case .refused: return .refused(failure)
        // A batch that is too large says nothing of its members: they are tried one by one.
        case .tooLarge: return isAlone ? .refused(failure) : .retry(failure)
        case .failed, .overloaded, .gone, .abandoned: return .retry(failure, notBefore: result.retryAfter)
        }
    }
}
