import CrashWorkload
import EventModel
import Ports

/// A cluster that takes transactions, which fail by schedule: aborted, committed without a word of it, lost without one.
/// What it keeps, the arrivals and the position, changes together and outlives the relay.
final class SimulatedTransactions: TransactionalSink {
    struct Cluster: Sendable {
        var position: RemotePosition?
    }

    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let arrivals: Shared<Arrivals>
    private let cluster: Shared<Cluster>
    private let logID: String

    init(
        _ clock: VirtualClock, _ troubles: [FaultSchedule.Trouble], _ arrivals: Shared<Arrivals>,
        _ cluster: Shared<Cluster>, logID: String
    ) {
        (self.clock, self.troubles, self.arrivals) = (clock, troubles, arrivals)
        (self.cluster, self.logID) = (cluster, logID)
    }

    func open() async -> SinkOpening? {
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(50))
        } catch { return nil }
        if let way = way, way % 4 == 0 { return .failed("no broker answers") }
        return .ready(cluster.value.position)
    }

    func commit(_ events: [StoredEvent], position: Int64) async -> TransactionOutcome {
        arrivals.change { arrivals in
            arrivals.offered(events)
            arrivals.underWay += 1
        }
        defer { arrivals.change { $0.underWay -= 1 } }
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(40))
        } catch {
            if position % 2 == 0 { _ = keep(events, position) }
            return .unknown("the process dies")
        }
        switch way.map({ $0 % 5 }) {
        case 0: return .aborted("not enough replicas")
        case 1: return .unknown("nobody answers")
        case 2:
            _ = keep(events, position)
            return .unknown("nobody answers")
        default: return keep(events, position)
        }
    }

    func close() async {}

    /// Nothing of a transaction with one that is too large is there.
    private func keep(_ events: [StoredEvent], _ position: Int64) -> TransactionOutcome {
        let suspects = events.indices.filter { Self.isTooLarge(events[$0]) }
        guard suspects.isEmpty else {
            if events.count == 1 { arrivals.change { $0.refuse(events) } }
            let reason = Outcome.Failure(reason: "too large")
            return .refused(Dictionary(uniqueKeysWithValues: suspects.map { ($0, reason) }))
        }
        arrivals.change { $0.accept(events) }
        cluster.value.position = RemotePosition(offset: position, logID: logID, host: "simulated", pid: 1)
        return .committed
    }

    static func isTooLarge(_ event: StoredEvent) -> Bool { event.offset % 41 == 0 }

    private var way: Int? { FaultSchedule.trouble(troubles, at: clock.elapsed)?.way }
}
