import Foundation
import TestSupport
import Testing
import VendorSimulator

/// The relay's output in the eyes of libraries that know nothing of it: JSON Schema, CloudEvents, Standard Webhooks.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct IndependentTests {
    private func python(
        _ script: String, _ arguments: [String], input: String = "/dev/null"
    ) async throws -> Millrace.Finished {
        let process = try ChildProcess(
            try Python.interpreter(), [Python.script(script)] + arguments, folder: Millrace.repository,
            input: input)
        return try await Millrace.finished(process)
    }

    @Test func everyEventValidatesAndParsesAndEveryDeliveryVerifies() async throws {
        let chain = try Chain { ($0.rows, $0.rate, $0.limit, $0.revise, $0.seed) = (60, 20, 20, 0.6, 21) }
        let process = try await chain.relay.run()
        try await chain.settled(rows: 5 + 60 + 20)
        #expect(try await Relay.stop(process) == .exited(0))
        let folder = try TemporaryFolder()
        try await validateEvents(chain, folder)
        try await verifyDeliveries(chain, folder)
    }

    private func validateEvents(_ chain: Chain, _ folder: TemporaryFolder) async throws {
        let types = try await Millrace.run(["schema"]).lines
        #expect(types.contains("visit.recorded") && types.contains("visit.updated"))
        let events = try await chain.relay.events()
        #expect(events.count >= 85)
        let finished = try await Validator.run(events, in: folder)
        #expect(finished.exitCode == 0, "\(finished.errors)")
        #expect(finished.lines == ["\(events.count)"])
    }

    private func verifyDeliveries(_ chain: Chain, _ folder: TemporaryFolder) async throws {
        let deliveries = chain.receiver.deliveries
        let lines = try deliveries.map { delivery in
            let headers = delivery.headers.map { ($0.name.lowercased(), $0.value) }
            let object: [String: Any] = [
                "headers": Dictionary(headers) { first, _ in first },
                "body": Data(delivery.body).base64EncodedString(),
            ]
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self) + "\n"
        }
        try write(lines.joined(), to: folder.file("deliveries"))
        let finished = try await python(
            "verify_deliveries.py", [VerifyingReceiver.secret], input: folder.file("deliveries"))
        #expect(finished.exitCode == 0, "\(finished.errors)")
        #expect(finished.lines == ["\(deliveries.count)"])
    }

    @Test func theConfigurationSchemaAcceptsTheManual() async throws {
        let files = ["schemas/configuration.schema.json", "deploy/millrace.yaml"].map(Millrace.file)
        let finished = try await python("validate_configuration.py", files)
        #expect(finished.exitCode == 0, "\(finished.errors)")
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
