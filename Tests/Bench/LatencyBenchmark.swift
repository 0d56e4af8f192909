import EventModel
import Persisting
import Ports
import Synchronization

/// From the call that stores an event to the receiver's answer, while 1 000 events a second come.
struct LatencyBenchmark: Benchmark {
    static let name = "latency"
    private static let rounds = 500
    private static let perRound = 10

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let receiver = try Receiver()
        let clock = RunningClock()
        let log = try EventLog(path: surroundings.file("latency.db"), timekeeper: clock)
        let total = Self.rounds * Self.perRound
        let begun = Mutex([Duration](repeating: .zero, count: total + 1))
        let waits = Mutex<[Double]>([])
        let deliveries = try Deliveries(
            log, to: receiver, concurrency: 16, from: .beginning,
            watched: { delivery in
                let ended = clock.elapsed
                for event in delivery.events {
                    let wait = ended - begun.withLock { $0[Int(event.offset)] }
                    waits.withLock { $0.append(wait / .milliseconds(1)) }
                }
            })
        try await deliveries.start()
        try await deliveries.running {
            let start = clock.elapsed
            for round in 0..<Self.rounds {
                let due = start + .milliseconds(10) * round
                if due > clock.elapsed { try await clock.sleep(for: due - clock.elapsed) }
                let first = round * Self.perRound
                let now = clock.elapsed
                begun.withLock { list in
                    for offset in (first + 1)...(first + Self.perRound) { list[offset] = now }
                }
                _ = try await log.append(
                    BenchRows.page(first, Self.perRound), from: BenchRows.source, position: nil)
            }
            try await receiver.waits(until: total)
        }
        let sorted = waits.withLock { $0.sorted() }
        return [("p50", 0.5), ("p99", 0.99)].map { name, share in
            Measure(
                name: "latency at 1000 events/s, \(name)",
                ours: sorted[Int(Double(sorted.count - 1) * share)],
                unit: "ms")
        }
    }
}
