import EventModel
import Foundation
import TestSupport
import Testing
import VendorSimulator

/// Followed customers travel the whole way: both types, edits that only a sweep finds, a crash in between.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct RelationTests {
    private struct Relation: Decodable {
        struct Data: Decodable { let remark: String }
        let subject: String
        let revision: Int
        let data: Data
    }

    private func relay(_ vendor: VendorSimulator) throws -> Relay {
        try Relay(
            RelayConfiguration(accounts: [
                .init(
                    baseURL: vendor.baseURL, source: "relations", kind: "tanma.relations",
                    sweeps: "[{every: 1s, span: all}]")
            ]))
    }

    /// The newest revision of each customer.
    private func latest(_ relay: Relay) async throws -> [String: Relation] {
        let relations = try await relay.events().map { event in
            try JSONDecoder().decode(Relation.self, from: Data(event.bytes))
        }
        return Dictionary(relations.map { ($0.subject, $0) }) { first, second in
            first.revision < second.revision ? second : first
        }
    }

    @Test func everyRelationEndsAsTheVendorHasItAlsoThroughACrash() async throws {
        var options = SimulatorOptions()
        (options.seed, options.rows, options.rate, options.limit, options.revise) = (11, 80, 20, 60, 0.6)
        options.faults.shares = [.status500: 0.03, .drop: 0.03, .code: 0.03]
        let vendor = try VendorSimulator(
            options, now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) })
        defer { vendor.stop() }
        let relay = try relay(vendor)
        let first = try await relay.run()
        try await eventually("some relations are stored") { try await relay.status().store.head > 90 }
        first.signal(SIGKILL)
        _ = try await first.ended(within: .seconds(10))
        let second = try await relay.run()
        try await eventually("every relation is as the vendor has it", within: .seconds(60)) {
            let truth = vendor.relations(
                at: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
            let latest = try await latest(relay)
            return truth.count == 140
                && truth.allSatisfy { latest["customer/\($0.customerID)"]?.data.remark == $0.remark }
        }
        #expect(try await Relay.stop(second) == .exited(0))
        let events = try await relay.events()
        #expect(events.compactMap(\.offset) == (1...Int64(events.count)).map { $0 })
        #expect(events.count { $0.type == "relation.created" } == 140)
        #expect(events.contains { $0.type == "relation.updated" && $0.revision == 2 })
        #expect(Set(events.map(\.id)).count == events.count)
        try await expectValid(relay)
    }

    private func expectValid(_ relay: Relay) async throws {
        let folder = try TemporaryFolder()
        for type in ["relation.created", "relation.updated"] {
            let schema = try await Millrace.run(["schema", type])
            try Data(schema.output.utf8).write(to: URL(fileURLWithPath: folder.file("\(type).json")))
        }
        let events = try await relay.command("events")
        try Data(events.output.utf8).write(to: URL(fileURLWithPath: folder.file("events")))
        let process = try ChildProcess(
            try Python.interpreter(), [Python.script("validate_events.py"), folder.path],
            folder: Millrace.repository,
            input: folder.file("events"))
        let finished = try await Millrace.finished(process)
        #expect(finished.exitCode == 0, "\(finished.errors)")
    }
}
