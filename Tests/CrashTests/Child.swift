import CrashWorkload
import Foundation

/// One run of `crash-child`, beside this test bundle.
struct Child {
    let notes: Notes
    /// What ended it; 0 when it ended by itself.
    let signal: Int32
    let status: Int32

    static func run(_ store: String, _ workload: Workload, at: Int64) throws -> Child {
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("crash-child")
        process.arguments = [store, "\(workload.seed)", "\(workload.steps)", "\(at)"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var notes = Notes()
        notes.add(output: text)
        let wasKilled = process.terminationReason == .uncaughtSignal
        return Child(
            notes: notes, signal: wasKilled ? process.terminationStatus : 0, status: process.terminationStatus
        )
    }
}
