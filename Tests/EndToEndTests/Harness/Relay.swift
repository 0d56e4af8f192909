import EventModel
import Foundation
import TestSupport
import Testing

/// A relay of a test's own: a folder, a configuration file, and the binary started on it as often as the test likes.
final class Relay: Sendable {
    let folder: TemporaryFolder
    private let environment: [String: String]

    var configurationFile: String { folder.file("millrace.yaml") }
    var storeFile: String { folder.file("data/millrace.db") }

    init(_ configuration: RelayConfiguration) throws {
        folder = try TemporaryFolder()
        environment = ["TANMA_APP_KEY": "demoAppKey", "CRM_SECRET": VerifyingReceiver.secret]
        try write(configuration.yaml)
    }

    func write(_ yaml: String) throws {
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: configurationFile))
    }

    /// Starts `millrace run` and waits until it holds the store.
    func run() async throws -> ChildProcess {
        let process = try start(["run"])
        try await eventually("the relay has started") {
            if let end = process.result { throw Failure("the relay ended: \(end) \(process.errors.text)") }
            return process.errors.text.contains("relay ready")
        }
        return process
    }

    func start(_ arguments: [String]) throws -> ChildProcess {
        try Millrace.start(arguments, in: folder.path, environment: environment)
    }

    func command(_ arguments: String..., within limit: Duration = .seconds(30)) async throws
        -> Millrace.Finished
    {
        try await Millrace.run(arguments, in: folder.path, environment: environment, within: limit)
    }

    /// SIGTERM, and the end it leads to.
    static func stop(_ process: ChildProcess, within limit: Duration = .seconds(20)) async throws
        -> ChildProcess.End
    {
        process.signal(SIGTERM)
        return try await process.ended(within: limit)
    }

    /// The log as `millrace events` prints it.
    func events() async throws -> [LogEvent] {
        let finished = try await command("events")
        guard finished.exitCode == 0 else { throw Failure("events: \(finished.end) \(finished.errors)") }
        return try finished.output.utf8.split(separator: UInt8(ascii: "\n")).map { try LogEvent(Array($0)) }
    }

    /// The store is whole and its account balances; a relay that was killed before it had a store has neither.
    func expectSound() async throws {
        guard FileManager.default.fileExists(atPath: storeFile) else { return }
        for words in [["audit"], ["check", "--store"]] {
            let finished = try await Millrace.run(words, in: folder.path, environment: environment)
            let isEmpty = (finished.output + finished.errors).contains("the store is still empty")
            #expect(finished.exitCode == 0 || isEmpty, "\(words): \(finished.output)\(finished.errors)")
        }
    }

    func status() async throws -> Status {
        let finished = try await command("status", "--json")
        guard finished.exitCode == 0 else { throw Failure("status: \(finished.end) \(finished.errors)") }
        return try JSONDecoder().decode(Status.self, from: Data(finished.output.utf8))
    }
}

/// What `millrace status --json` prints.
struct Status: Decodable, Sendable {
    struct Source: Decodable, Sendable {
        let name: String
        let rows, stored, updated, duplicate, rejected: Int
        let tooOld: Int

        enum CodingKeys: String, CodingKey {
            case name, rows, stored, updated, duplicate, rejected
            case tooOld = "too_old"
        }
    }

    struct Sink: Decodable, Sendable {
        let name: String
        let position, backlog, waiting, delivered, filtered, dead: Int
        let state, circuit: String
        let events, pending, held, expired: Int
        let balanced: Bool
    }

    struct Store: Decodable, Sendable {
        let head: Int
        let quarantined: Int
    }

    let sources: [Source]
    let sinks: [Sink]
    let store: Store

    func sink(_ name: String) throws -> Sink {
        try sinks.first { $0.name == name }.unwrapped("status shows no sink \(name)")
    }
}
