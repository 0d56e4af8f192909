import Foundation

/// The built relay as a process of its own.
final class RelayProcess {
    private let process = Process()
    private let errors = Pipe()
    /// Until its log said that it is there.
    let startMilliseconds: Double

    /// Starts it and returns when it is ready.
    /// - Parameter yaml: sections beside the relay's name and the sources, which nobody answers.
    init(_ surroundings: Surroundings, store: String, yaml: String = "") throws {
        let config = surroundings.file("relay.yaml")
        let whole = """
            relay: {name: bench}
            store: {url: "sqlite:\(surroundings.file(store))"}
            log: {format: text}
            accounts:
              - {name: acme, vendor: tanma, base_url: "http://127.0.0.1:9/", app_id: ww0123456789abcdef_Demo01, app_key: demo}
            sources:
              - {name: visits, account: acme, kind: tanma.visits, every: 1h}
            \(yaml)
            """
        try Data(whole.utf8).write(to: URL(fileURLWithPath: config))
        process.executableURL = URL(fileURLWithPath: surroundings.binary)
        process.arguments = ["run", "--config", config]
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        let begun = ContinuousClock.now
        try process.runHearing()
        var text = ""
        while !text.contains("relay ready") {
            let data = errors.fileHandleForReading.availableData
            guard !data.isEmpty else { throw BenchFailure("the relay did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        startMilliseconds = (ContinuousClock.now - begun) / .milliseconds(1)
    }

    /// Megabytes: `VmRSS` is what it holds now, `VmHWM` the most it held.
    func memory(_ field: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        guard let kilobytes else { throw BenchFailure("the relay has no \(field)") }
        return kilobytes / 1000
    }

    func stop() {
        process.terminate()
        // Read to the end, so that the relay never waits for somebody to take its last lines.
        _ = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
    }
}
