import Foundation

/// `bench [--json FILE] [--sizes N,N,…] [--concurrency N,N,…] [--binary PATH] [NAME…]`, `bench compare FILE FILE`
@main enum Bench {
    static let benchmarks: [any Benchmark.Type] = [
        AppendBenchmark.self, PollBenchmark.self, WebhookBenchmark.self, LatencyBenchmark.self,
        KafkaBenchmark.self, SyslogBenchmark.self, FeedBenchmark.self, GrowthBenchmark.self,
        StartBenchmark.self, MemoryBenchmark.self,
    ]

    static func main() async {
        do {
            let words = Array(CommandLine.arguments.dropFirst())
            let isGood = words.first == "compare" ? try compare(words) : try await run(words)
            exit(isGood ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(2)
        }
    }

    private static func run(_ words: [String]) async throws -> Bool {
        var (names, options): ([String], [String: String]) = ([], [:])
        var rest = words[...]
        while let word = rest.popFirst() {
            if word.hasPrefix("--") { options[word] = rest.popFirst() } else { names.append(word) }
        }
        let unknown = names.filter { name in !benchmarks.contains { $0.name == name } }
        guard unknown.isEmpty else { throw BenchFailure("there is no benchmark \(unknown[0])") }
        let folder = NSTemporaryDirectory() + "millrace-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let surroundings = Surroundings(
            folder: folder, binary: options["--binary"] ?? ".build/release/millrace",
            sizes: numbers(options["--sizes"] ?? "10000,1000000,5000000"),
            concurrencies: numbers(options["--concurrency"] ?? "1,16,64,256"))
        var measures: [Measure] = []
        for benchmark in benchmarks where names.isEmpty || names.contains(benchmark.name) {
            let found = try await benchmark.init().run(surroundings)
            // Not by `print`, which holds lines back where there is no terminal.
            for one in found {
                FileHandle.standardOutput.write(Data((BenchTable.line(one) + "\n").utf8))
            }
            measures += found
        }
        try FileManager.default.removeItem(atPath: folder)
        if let path = options["--json"] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(measures).write(to: URL(fileURLWithPath: path))
        }
        return measures.allSatisfy(\.isGood)
    }

    private static func numbers(_ text: String) -> [Int] {
        text.split(separator: ",").compactMap { Int($0) }
    }

    private static func compare(_ words: [String]) throws -> Bool {
        guard words.count == 3 else { throw BenchFailure("usage: bench compare BEFORE AFTER") }
        let (before, after) = (try read(words[1]), try read(words[2]))
        for one in after {
            let known = before.first { $0.name == one.name && $0.unit == one.unit }
            print(BenchTable.comparison(one, before: known))
        }
        return true
    }

    private static func read(_ path: String) throws -> [Measure] {
        try JSONDecoder().decode([Measure].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

/// Lines that stand under each other.
enum BenchTable {
    static func line(_ one: Measure) -> String {
        let ratio = one.ratio.map { "ratio " + number($0) } ?? ""
        let wanted =
            one.wanted.map { "wanted ≥ \($0)" } ?? one.tolerance.map { "wanted ≥ \(1 - $0)" } ?? ""
        let cells = [
            pad(one.name, 44), pad(number(one.ours) + " " + one.unit, 20),
            pad(one.theirs.map { number($0) + " " + one.unit } ?? "-", 20), pad(ratio, 12), pad(wanted, 14),
        ]
        return cells.joined(separator: " ") + (one.isGood ? "" : " TOO LITTLE")
    }

    static func comparison(_ one: Measure, before: Measure?) -> String {
        let change = before.map { $0.ours > 0 ? number(one.ours / $0.ours) : "-" } ?? "new"
        let ratios = [before?.ratio, one.ratio].map { $0.map(number) ?? "-" }
        return pad(one.name, 44) + " now/before \(pad(change, 8)) ratio \(ratios[0]) → \(ratios[1])"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }

    private static func number(_ value: Double) -> String {
        value >= 100 ? String(Int(value.rounded())) : String((value * 100).rounded() / 100)
    }
}
