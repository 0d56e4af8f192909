import CrashWorkload
import EventModel
import Ports

/// What arrived at one end, whatever became of the relay meanwhile.
struct Arrivals: Sendable {
    /// Accepted, in the order in which they came.
    var accepted: [Int64] = []
    var refused: Set<Int64> = []
    /// The bytes that were offered under each offset.
    var bodies: [Int64: [UInt8]] = [:]
    /// Offsets that were offered with different bytes.
    var changed: Set<Int64> = []

    mutating func offered(_ event: StoredEvent) {
        if let before = bodies.updateValue(event.body, forKey: event.offset), before != event.body {
            changed.insert(event.offset)
        }
    }
}

/// A cluster that takes batches, parts of them, or nothing, by schedule.
final class SimulatedKafka: BatchSink {
    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let arrivals: Shared<Arrivals>

    init(_ clock: VirtualClock, _ schedule: FaultSchedule, _ arrivals: Shared<Arrivals>) {
        (self.clock, troubles, self.arrivals) = (clock, schedule.kafka, arrivals)
    }

    func open() async -> Bool { true }
    func close() async {}

    func deliver(_ events: [StoredEvent]) async -> [Outcome] {
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(50))
        } catch {
            return events.map { _ in .retry(Outcome.Failure(reason: "cancelled")) }
        }
        let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed)
        var (outcomes, held): ([Outcome], Set<String>) = ([], [])
        arrivals.change { arrivals in
            for event in events {
                arrivals.offered(event)
                // As an idempotent producer keeps a partition in order: behind one that failed nothing gets through.
                let outcome = held.contains(event.key) ? Self.notNow : Self.answer(to: event, trouble?.way)
                if outcome == Self.notNow { held.insert(event.key) }
                outcomes.append(outcome)
                switch outcomes.last {
                case .accepted: arrivals.accepted.append(event.offset)
                case .refused: arrivals.refused.insert(event.offset)
                default: break
                }
            }
        }
        return outcomes
    }

    /// Some events are too large for it at any time; in bad times it takes none, or some.
    private static func answer(to event: StoredEvent, _ way: Int?) -> Outcome {
        if event.offset % 41 == 0 { return .refused(Outcome.Failure(reason: "too large")) }
        guard let way, way % 3 == 0 || event.offset % 3 == 0 else { return .accepted }
        return notNow
    }

    private static let notNow = Outcome.retry(Outcome.Failure(reason: "not now"))
}

/// An endpoint that answers by schedule: failures, patience asked for, answers that come too late.
final class SimulatedEndpoint: EventSink {
    private let clock: VirtualClock
    private let troubles: [FaultSchedule.Trouble]
    private let arrivals: Shared<Arrivals>

    init(_ clock: VirtualClock, _ schedule: FaultSchedule, _ arrivals: Shared<Arrivals>) {
        (self.clock, troubles, self.arrivals) = (clock, schedule.endpoint, arrivals)
    }

    func deliver(_ event: StoredEvent) async -> Outcome {
        let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed)
        // What hangs may have been taken on the other side: the relay cannot know, and must send it again.
        let hangs = trouble.map { $0.way % 5 == 4 } ?? false
        arrivals.change { arrivals in
            arrivals.offered(event)
            if hangs { arrivals.accepted.append(event.offset) }
        }
        do throws(CancellationError) {
            try await clock.sleep(for: hangs ? .seconds(15) : .milliseconds(30))
        } catch {
            return .retry(Outcome.Failure(reason: "cancelled"))
        }
        let outcome = Self.answer(to: event, trouble?.way)
        arrivals.change { arrivals in
            switch outcome {
            case .accepted: arrivals.accepted.append(event.offset)
            case .refused: arrivals.refused.insert(event.offset)
            case .retry: break
            }
        }
        return outcome
    }

    private static func answer(to event: StoredEvent, _ way: Int?) -> Outcome {
        if event.offset % 37 == 0 { return .refused(Outcome.Failure(status: 413, reason: "HTTP status 413")) }
        guard let way else { return .accepted }
        switch way % 5 {
        case 0, 1: return .retry(Outcome.Failure(status: 500, reason: "HTTP status 500"))
        case 2:
            return .retry(Outcome.Failure(status: 429, reason: "HTTP status 429"), notBefore: .seconds(1200))
        case 3: return event.offset % 2 == 0 ? .accepted : .retry(Outcome.Failure(status: 400, reason: "x"))
        default: return .retry(Outcome.Failure(reason: "timeout"))
        }
    }
}
