import Foundation

/// Publishing a long backlog to Kafka beside a bare librdkafka producer: `kafka.py` in this run's table. `BROKERS` in the
/// environment names a real cluster; else it is librdkafka's mock.
struct KafkaBenchmark: Benchmark {
    static let name = "kafka"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let (process, output) = (Process(), Pipe())
        let brokers = ProcessInfo.processInfo.environment["BROKERS"]
        process.executableURL = URL(fileURLWithPath: "Tests/Benchmarks/kafka.py")
        process.arguments = [surroundings.binary] + (brokers.map { ["--brokers", $0] } ?? [])
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("kafka ") }
        guard lines.count == 2 else { throw BenchFailure("kafka.py: \(text)") }
        return try lines.flatMap { try Self.measures($0, isReal: brokers != nil) }
    }

    /// `kafka at_least_once: 123,456 events/s, 7.8 µs of processor an event, 90 MB resident; bare librdkafka 234,567 …`
    private static func measures(_ line: String, isReal: Bool) throws -> [Measure] {
        let delivery = line.split(separator: ":")[0].dropFirst("kafka ".count)
        let numbers = line.replacing(",", with: "").split(separator: " ").compactMap { Double($0) }
        guard numbers.count >= 4 else { throw BenchFailure("kafka.py: \(line)") }
        let wanted = isReal ? (delivery == "exactly_once" ? 0.6 : 0.8) : 0.5
        return [
            Measure(
                name: "kafka \(delivery), against bare librdkafka", ours: numbers[0], theirs: numbers[3],
                unit: "events/s", wanted: wanted),
            Measure(
                name: "resident memory, a million events behind, \(delivery)", ours: numbers[2], unit: "MB"),
        ]
    }
}
