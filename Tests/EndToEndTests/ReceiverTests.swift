import Foundation
import TestSupport
import Testing
import VendorSimulator

/// The receivers in `examples` verify what the relay sends and do each event once.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ReceiverTests {
    private static let secret = VerifyingReceiver.secret

    @Test func pythonReceiverTakesEveryEventOnce() async throws {
        try await takes(try Python.interpreter(), [Millrace.file("examples/receivers/receiver.py")])
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: node)))
    func nodeReceiverTakesEveryEventOnce() async throws {
        try await takes(Self.node, [Millrace.file("examples/receivers/receiver.mjs")])
    }

    @Test func swiftReceiverTakesEveryEventOnce() async throws {
        let folder = try TemporaryFolder()
        let build = try ChildProcess(
            "/usr/bin/env",
            [
                "swiftc", "-parse-as-library", Millrace.file("examples/receivers/receiver.swift"), "-o",
                "receiver",
            ],
            folder: folder.path)
        #expect(try await build.ended(within: .seconds(120)) == .exited(0), "\(build.errors.text)")
        try await takes(folder.file("receiver"), [])
    }

    private static let node = "/usr/bin/node"

    private func takes(_ program: String, _ arguments: [String]) async throws {
        let receiver = try ChildProcess(
            program, arguments + ["0", Self.secret], folder: Millrace.repository)
        try await eventually("the receiver listens") { Self.port(receiver) != nil }
        let vendor = try VendorSimulator.started { $0.rows = 20 }
        defer { vendor.stop() }
        let relay = try Relay(
            RelayConfiguration(
                accounts: [.init(baseURL: vendor.baseURL)],
                webhooks: [.init(url: "http://127.0.0.1:\(Self.port(receiver) ?? 0)/")]))
        let process = try await relay.run()
        try await eventually("all are delivered") {
            try await relay.status().sink("webhook/crm").delivered == 25
        }
        #expect(try await Relay.stop(process) == .exited(0))
        let ids = receiver.output.texts.compactMap {
            $0.split(separator: " ").dropFirst(2).first.map(String.init)
        }
        #expect(ids.sorted() == (try await relay.events()).map(\.id).sorted())
        receiver.signal(SIGTERM)
        _ = try await receiver.ended()
    }

    private static func port(_ process: ChildProcess) -> Int? {
        process.errors.texts.lazy.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.first
    }
}
