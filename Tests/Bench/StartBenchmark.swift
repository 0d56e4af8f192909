import Foundation

/// How soon the relay is there, and what it takes while nothing happens.
struct StartBenchmark: Benchmark {
    static let name = "start"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let config = surroundings.file("start.yaml")
        // Nobody answers there: the relay starts all the same.
        let yaml = """
            relay: {name: bench}
            store: {url: "sqlite:\(surroundings.file("start.db"))"}
            log: {format: text}
            accounts:
              - {name: acme, vendor: tanma, base_url: "http://127.0.0.1:9/", app_id: ww0123456789abcdef_Demo01, app_key: demo}
            sources:
              - {name: visits, account: acme, kind: tanma.visits, every: 1h}
            """
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: config))
        var starts: [Double] = []
        var resident = 0.0
        for _ in 0..<5 {
            let (milliseconds, kilobytes) = try await once(surroundings.binary, config)
            starts.append(milliseconds)
            resident = kilobytes / 1000
        }
        return [
            Measure(name: "start-up to ready", ours: starts.sorted()[2], unit: "ms"),
            Measure(name: "resident memory, idle", ours: resident, unit: "MB"),
        ]
    }

    private func once(_ binary: String, _ config: String) async throws -> (Double, Double) {
        let (process, errors) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = ["run", "--config", config]
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        let begun = ContinuousClock.now
        try process.run()
        var text = ""
        while !text.contains("relay started") {
            let data = errors.fileHandleForReading.availableData
            guard !data.isEmpty else { throw BenchFailure("the relay did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        let took = (ContinuousClock.now - begun) / .milliseconds(1)
        try await Task.sleep(for: .seconds(1))
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }?
            .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        process.terminate()
        // Read to the end, so that the relay never waits for somebody to take its last lines.
        _ = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (took, resident ?? 0)
    }
}
