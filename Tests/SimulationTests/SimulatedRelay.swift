import CrashWorkload
import EventModel
import Ingesting
import Normalizing
import Persisting
import Ports
import Publishing
import Services
import TestSupport

/// The relay of the simulation: everything real but what lies outside. The only file that knows how its parts are made.
struct SimulatedRelay {
    static let kafka = "kafka"
    static let hook = "webhook/crm"

    let clock: VirtualClock
    let schedule: FaultSchedule
    let seed: UInt64
    let atKafka = Shared(Arrivals())
    let atHook = Shared(Arrivals())
    let lines = Shared<[String]>([])

    func services(_ log: EventLog) -> [[any Service]] {
        let retention = RetentionKeeper(
            log, retention: .seconds(2 * 86_400), dedupRetention: .seconds(9 * 86_400),
            timekeeper: SlowClock(clock: clock),
            logger: logger)
        let audit = AuditKeeper(log, timekeeper: SlowClock(clock: clock), logger: logger)
        return [[retention, audit], [kafkaPump(log), hookPump(log)], [poller(log)]]
    }

    var vendor: SimulatedVendor {
        SimulatedVendor(seed: seed, clock: clock, gate: gate, schedule)
    }

    private var gate: AccountGate {
        AccountGate(
            account: "acme-tanma", requestsPerSecond: 2, atOnce: 2, timekeeper: clock, draw: draw,
            logger: logger)
    }

    private func poller(_ log: EventLog) -> SourcePoller {
        let gate = gate
        return SourcePoller(
            SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits"),
            source: SimulatedVendor(seed: seed, clock: clock, gate: gate, schedule),
            normalizing: RowNormalizing(
                relay: "acme", account: "acme-tanma", normalizer: SimulatedNormalizer()),
            log: log,
            schedule: SourcePoller.Schedule(
                start: VirtualClock.start, every: .seconds(600), lag: .seconds(10), overlap: .seconds(900),
                sweeps: [
                    (every: .seconds(6 * 3600), span: .seconds(3 * 86_400))
                ]),
            gate: gate, timekeeper: clock, draw: draw, logger: logger)
    }

    private func kafkaPump(_ log: EventLog) -> BatchPump {
        BatchPump(
            Self.kafka, sink: SimulatedKafka(clock, schedule, atKafka), log: log, from: .beginning,
            selection: SinkSelection(events: Self.everything, accounts: nil), timekeeper: clock, draw: draw,
            logger: logger)
    }

    private func hookPump(_ log: EventLog) -> EventPump {
        let waits: [Duration] =
            [.seconds(5), .seconds(300), .seconds(1800)] + Array(repeating: .seconds(7200), count: 12)
        return EventPump(
            Self.hook, sink: SimulatedEndpoint(clock, schedule, atHook), log: log, from: .beginning,
            selection: SinkSelection(events: Self.everything, accounts: nil),
            schedule: RetrySchedule(.fixed(waits), jitter: 0.2), concurrency: 4, timekeeper: clock,
            draw: draw,
            logger: logger)
    }

    private static let everything = [NamePattern("*")].compactMap { $0 }

    /// The simulation's own generator: one draw after the other, on one thread.
    private var draw: @Sendable () -> Double {
        let random = Shared(SeededGenerator(seed: seed &+ 2))
        return {
            var drawn = 0.0
            random.change { drawn = Double.random(in: 0...1, using: &$0) }
            return drawn
        }
    }

    private var logger: Logger {
        Logger(level: .error, format: .text, write: { [lines] line in lines.change { $0.append(line) } })
    }
}
