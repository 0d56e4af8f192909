import Foundation

/// Publishing a long backlog to Kafka beside a bare librdkafka producer: `kafka.py` in this run's table. Into librdkafka's mock,
/// and into a real cluster that `BROKERS` in the environment names.
struct KafkaBenchmark: Benchmark {
    static let name = "kafka"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let mock = try Self.rows(surroundings, brokers: nil)
        guard let brokers = ProcessInfo.processInfo.environment["BROKERS"] else { return mock }
        return try mock + Self.rows(surroundings, brokers: brokers)
    }

    private static func rows(_ surroundings: Surroundings, brokers: String?) throws -> [Measure] {
        let lines = try lines("kafka ", surroundings, brokers.map { ["--brokers", $0] } ?? [])
        guard lines.count == 2 else { throw BenchFailure("kafka.py: \(lines)") }
        return try lines.flatMap { try measures($0, isReal: brokers != nil) }
    }

    /// `syslog-ng: 123,456 events/s; syslog-ng 98,765 events/s`
    static func syslog(_ surroundings: Surroundings) throws -> [Measure] {
        let line = try lines("syslog-ng: ", surroundings, ["--syslog-ng", "--events", "300000"]).first ?? ""
        let numbers = numbers(line)
        guard numbers.count == 2 else { throw BenchFailure("kafka.py: \(line)") }
        return [
            Measure(
                name: "kafka at_least_once, against syslog-ng", ours: numbers[0], theirs: numbers[1],
                unit: "events/s", wanted: 1)
        ]
    }

    /// What the script says with this beginning.
    private static func lines(
        _ beginning: String, _ surroundings: Surroundings, _ words: [String]
    ) throws -> [String] {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "Tests/Benchmarks/kafka.py")
        process.arguments = [surroundings.binary] + words
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.runHearing()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(beginning) }
    }

    private static func numbers(_ line: String) -> [Double] {
        line.replacing(",", with: "").split(separator: " ").compactMap { Double($0) }
    }

    /// `kafka at_least_once: 123,456 events/s, 7.8 µs of processor an event, 90 MB resident; bare librdkafka 234,567 …`
    private static func measures(_ line: String, isReal: Bool) throws -> [Measure] {
        let delivery = line.split(separator: ":")[0].dropFirst("kafka ".count)
        let numbers = numbers(line)
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
