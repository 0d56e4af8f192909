import EventModel
import Persisting
import Ports
import Publishing
import Replaying
import Services

/// Somebody who asks once for everything again, on a day and at an hour of the schedule's choice.
struct SimulatedOperator: Service {
    let name = "operator"
    let log: EventLog
    let book: SubscriptionBook
    let replays: ReplayKeeper
    let at: Duration
    let clock: VirtualClock
    private let stopSignal = StopSignal()

    init(log: EventLog, book: SubscriptionBook, replays: ReplayKeeper, at: Duration, clock: VirtualClock) {
        (self.log, self.book, self.replays, self.at, self.clock) = (log, book, replays, at, clock)
    }

    func run() async throws {
        _ = await stopSignal.unlessStopped {
            do throws(CancellationError) {
                try await clock.sleep(for: at - clock.elapsed)
                while await !hasAsked() { try await clock.sleep(for: .seconds(300)) }
            } catch { return }
        }
        await stopSignal.wait()
    }

    func stop() async {
        stopSignal.stop()
    }

    /// A disk that is broken just now is asked again later.
    private func hasAsked() async -> Bool {
        do {
            guard try await replays.list().isEmpty else { return true }
            guard let plain = try await book.list().first(where: { $0.record.name == "plain" }), log.head > 0
            else { return false }
            try await replays.submit(
                ReplayRecord(
                    id: "rpl_1", target: plain.record.id, first: 1, until: log.head + 1,
                    types: SimulatedRelay.everything,
                    rate: nil, topic: nil, who: "simulation", created: clock.now))
            return true
        } catch {
            return false
        }
    }
}
