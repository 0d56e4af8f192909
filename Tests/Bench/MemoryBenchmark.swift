import Persisting
import Ports

/// What the relay holds with a thousand subscriptions, and at most while it delivers as fast as it can.
struct MemoryBenchmark: Benchmark {
    static let name = "memory"
    private static let backlog = 100_000

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let receiver = try Receiver()
        let thousand = webhooks(1000, receiver, "{")
        var relay = try RelayProcess(surroundings, store: "memory.db", yaml: thousand)
        try await Task.sleep(for: .seconds(1))
        let idle = try relay.memory("VmRSS")
        relay.stop()
        try await fill(surroundings.file("load.db"))
        let busy = webhooks(1, receiver, "{from: beginning, concurrency: 64, ")
        relay = try RelayProcess(surroundings, store: "load.db", yaml: busy)
        try await receiver.waits(until: Self.backlog)
        let most = try relay.memory("VmHWM")
        relay.stop()
        return [
            Measure(name: "resident memory, 1000 subscriptions", ours: idle, unit: "MB"),
            Measure(name: "resident memory, 100 000 deliveries, most", ours: most, unit: "MB"),
        ]
    }

    /// In a scope of its own: the log is let go of before the relay opens it.
    private func fill(_ path: String) async throws {
        let log = try EventLog(path: path, timekeeper: RunningClock())
        for page in 0..<(Self.backlog / 1000) {
            _ = try await log.append(BenchRows.page(page * 1000), from: BenchRows.source, position: nil)
        }
    }

    private func webhooks(_ count: Int, _ receiver: Receiver, _ begin: String) -> String {
        let lines = (1...count).map {
            "  - \(begin)name: s\($0), url: \"http://127.0.0.1:\(receiver.port)/\", secret: \"\(Deliveries.secret)\"}"
        }
        return "http: {listen: \"127.0.0.1:0\", allow_private_endpoints: true}\nwebhooks:\n"
            + lines.joined(separator: "\n")
    }
}
