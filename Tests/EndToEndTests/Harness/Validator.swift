import Foundation
import TestSupport
import Testing

/// Events in the eyes of `jsonschema` and the CloudEvents SDK, against the schemas that the binary prints.
enum Validator {
    /// - Returns: the script's end: exit code 0 and the number of events, or a line for each that is not valid.
    static func run(_ events: [LogEvent], in folder: TemporaryFolder) async throws -> Millrace.Finished {
        let schemas = folder.file("schemas")
        try FileManager.default.createDirectory(atPath: schemas, withIntermediateDirectories: true)
        for type in try await Millrace.run(["schema"]).lines {
            let schema = try await Millrace.run(["schema", type])
            #expect(schema.exitCode == 0)
            try Data(schema.output.utf8).write(to: URL(fileURLWithPath: "\(schemas)/\(type).json"))
        }
        let lines = events.map { String(decoding: $0.bytes, as: UTF8.self) + "\n" }.joined()
        try Data(lines.utf8).write(to: URL(fileURLWithPath: folder.file("events")))
        let process = try ChildProcess(
            try Python.interpreter(), [Python.script("validate_events.py"), schemas],
            folder: Millrace.repository, input: folder.file("events"))
        return try await Millrace.finished(process)
    }
}
