import Foundation

/// How soon the relay is there, and what it takes while nothing happens.
struct StartBenchmark: Benchmark {
    static let name = "start"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        var starts: [Double] = []
        var resident = 0.0
        for _ in 0..<5 {
            let relay = try RelayProcess(surroundings, store: "start.db")
            starts.append(relay.startMilliseconds)
            try await Task.sleep(for: .seconds(1))
            resident = try relay.memory("VmRSS")
            relay.stop()
        }
        return [
            Measure(name: "start-up to ready", ours: starts.sorted()[2], unit: "ms"),
            Measure(name: "resident memory, idle", ours: resident, unit: "MB"),
        ]
    }
}
