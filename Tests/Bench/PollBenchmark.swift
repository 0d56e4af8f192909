import Foundation

/// The poll chain, from a page's bytes to the log: `poll_visits.py` in this run's table.
struct PollBenchmark: Benchmark {
    static let name = "poll"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "Tests/Benchmarks/poll_visits.py")
        process.arguments = [surroundings.binary]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.runHearing()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let numbers = text.replacing(",", with: "").split(separator: " ").compactMap { Double($0) }
        guard process.terminationStatus == 0, numbers.count >= 5 else {
            throw BenchFailure("poll_visits.py: \(text)")
        }
        return [
            Measure(
                name: "poll, pages of 1000, against 30 000 rows/s", ours: numbers[0], theirs: 30_000,
                unit: "rows/s", wanted: 1),
            Measure(name: "resident memory, polling", ours: numbers[2], unit: "MB"),
        ]
    }
}
