import CrashWorkload
import EventModel
import Ports

/// An endpoint that answers by schedule: failures, patience asked for, answers that come too late.
final class SimulatedEndpoint: Endpoint {
    private struct Flight {
        let events: [StoredEvent]
        let arrivals: Shared<Arrivals>
        let done: @Sendable (AttemptResult) -> Void
    }

    private struct Pending {
        var isAbandoned = false
        var next = 0
        var flights: [Int: Flight] = [:]
    }

    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let live, replayed: Shared<Arrivals>
    private let pending = Shared(Pending())

    init(
        _ clock: VirtualClock, _ troubles: [FaultSchedule.Trouble], _ live: Shared<Arrivals>,
        replayed: Shared<Arrivals>
    ) {
        (self.clock, self.troubles, self.live, self.replayed) = (clock, troubles, live, replayed)
    }

    func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void) {
        let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed)
        let arrivals = delivery.replay == nil ? live : replayed
        arrivals.change { $0.offered(delivery) }
        // What hangs may have been taken on the other side: the relay cannot know, and must send it again.
        let hangs = trouble.map { $0.way % 5 == 4 } ?? false
        if hangs { arrivals.change { $0.accept(delivery.events, isTold: false) } }
        let ticket = remember(Flight(events: delivery.events, arrivals: arrivals, done: done))
        clock.after(hangs ? .seconds(15) : .milliseconds(30)) { [self] in
            guard let flight = forget(ticket) else { return }
            let result = Self.answer(to: flight.events, trouble?.way)
            Self.arrive(flight, result.verdict)
            flight.done(result)
        }
    }

    func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void) {
        clock.after(.milliseconds(30)) { done(.granted(perMinute: nil)) }
    }

    /// The process dies: what was under way ends at once, and some of it had arrived.
    func abandon() {
        var open: [Flight] = []
        pending.change { pending in
            pending.isAbandoned = true
            open = pending.flights.sorted { $0.key < $1.key }.map(\.value)
            pending.flights = [:]
        }
        for flight in open {
            flight.arrivals.change { $0.underWay -= 1 }
            if flight.events[0].offset % 2 == 0 {
                flight.arrivals.change { $0.accept(flight.events, isTold: false) }
            }
            clock.after(.zero) { flight.done(AttemptResult(.abandoned)) }
        }
    }

    private func remember(_ flight: Flight) -> Int {
        var (ticket, isAbandoned) = (0, false)
        pending.change { pending in
            pending.next += 1
            (ticket, isAbandoned) = (pending.next, pending.isAbandoned)
            if !isAbandoned { pending.flights[ticket] = flight }
        }
        if !isAbandoned { flight.arrivals.change { $0.underWay += 1 } }
        if isAbandoned { clock.after(.zero) { flight.done(AttemptResult(.abandoned)) } }
        return ticket
    }

    private func forget(_ ticket: Int) -> Flight? {
        var flight: Flight?
        pending.change { flight = $0.flights.removeValue(forKey: ticket) }
        flight?.arrivals.change { $0.underWay -= 1 }
        return flight
    }

    private static func arrive(_ flight: Flight, _ verdict: AttemptResult.Verdict) {
        flight.arrivals.change { arrivals in
            switch verdict {
            case .accepted: arrivals.accept(flight.events)
            case .refused: arrivals.refuse(flight.events)
            // Half of a batch may do.
            case .tooLarge where flight.events.count == 1: arrivals.refuse(flight.events)
            default: break
            }
        }
    }

    private static func answer(to events: [StoredEvent], _ way: Int?) -> AttemptResult {
        if events.map(\.offset).contains(where: Arrivals.isTooLargeForHook) { return status(413, .tooLarge) }
        guard let way else { return AttemptResult(.accepted, status: 204) }
        switch way % 5 {
        case 0, 1: return status(500, .failed)
        case 2: return status(429, .overloaded, retryAfter: .seconds(1200))
        case 3:
            let isLiked = events[0].offset % 2 == 0
            return isLiked ? AttemptResult(.accepted, status: 200) : status(400, .failed)
        default: return AttemptResult(.failed, failure: .timeout, reason: "timeout")
        }
    }

    private static func status(
        _ status: Int, _ verdict: AttemptResult.Verdict, retryAfter: Duration? = nil
    ) -> AttemptResult {
        AttemptResult(
            verdict, status: status, failure: .status, reason: "HTTP status \(status)", retryAfter: retryAfter
        )
    }
}
