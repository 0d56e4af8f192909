import BenchEnds
import EventModel
import Foundation
import Persisting
import Ports

/// Deliveries a second, from a log on disk with every position stored, against a bare libcurl multi loop that posts the
/// same bytes and headers of the same size to the same receiver.
struct WebhookBenchmark: Benchmark {
    static let name = "webhooks"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        var measures: [Measure] = []
        for concurrency in surroundings.concurrencies {
            let count = concurrency == 1 ? 10_000 : 40_000
            var (ours, theirs): ([Double], [Double]) = ([], [])
            // Side by side in turns: what else the machine does meets both.
            for turn in 0..<3 {
                let path = surroundings.file("webhooks-\(concurrency)-\(turn).db")
                theirs.append(try bare(concurrency, count))
                ours.append(try await Self.relay(path, concurrency, count))
            }
            measures.append(
                Measure(
                    name: "webhooks, \(concurrency) at once, against bare libcurl", ours: median(ours),
                    theirs: median(theirs), unit: "events/s", wanted: 0.75))
        }
        return measures
    }

    private func bare(_ concurrency: Int, _ count: Int) throws -> Double {
        let receiver = try Receiver()
        guard case .event(let draft, _) = BenchRows.row(0) else { throw BenchFailure("no row") }
        let body = draft.encoded(id: draft.id(revision: 1), revision: 1)
        let took = bench_bare_posts(receiver.port, Int32(concurrency), count, body, body.count)
        guard took > 0 else { throw BenchFailure("bare posts failed") }
        return Double(count) / took
    }

    /// Events a second of the relay's delivering half.
    static func relay(_ path: String, _ concurrency: Int, _ count: Int) async throws -> Double {
        let receiver = try Receiver()
        let log = try EventLog(path: path, timekeeper: RunningClock())
        for page in 0..<(count / 1000) {
            _ = try await log.append(BenchRows.page(page * 1000), from: BenchRows.source, position: nil)
        }
        let deliveries = try Deliveries(log, to: receiver, concurrency: concurrency, from: .beginning)
        try await deliveries.start()
        let took = try await seconds {
            try await deliveries.running { try await receiver.waits(until: count) }
        }
        guard receiver.count == count else { throw BenchFailure("\(receiver.count) of \(count) deliveries") }
        return Double(count) / took
    }
}
