import EventModel
import Foundation
import TestSupport
import Testing
import VendorSimulator

/// Churned customers travel the whole way: a list that moves while it is read, late rows, edits, tokens that end.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct OutflowTests {
    private struct Outflow: Decodable {
        struct Data: Decodable {
            struct Relation: Decodable { let remark: String }
            let relation: Relation
        }
        let subject: String
        let revision: Int
        let data: Data
    }

    private func latest(_ relay: Relay) async throws -> [String: Outflow] {
        let outflows = try await relay.events().map { event in
            try JSONDecoder().decode(Outflow.self, from: Data(event.bytes))
        }
        return Dictionary(outflows.map { ($0.subject, $0) }) { first, second in
            first.revision < second.revision ? second : first
        }
    }

    @Test func everyLossEndsAsTheVendorHasIt() async throws {
        var options = SimulatorOptions()
        (options.seed, options.rows, options.rate, options.limit) = (7, 40, 10, 30)
        (options.late, options.revise, options.tokenLife) = (0.3, 0.5, .seconds(4))
        options.faults.shares = [.status500: 0.03, .drop: 0.03]
        let now: @Sendable () -> Timestamp = {
            Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        }
        let vendor = try VendorSimulator(options, now: now)
        defer { vendor.stop() }
        let relay = try Relay(
            RelayConfiguration(accounts: [
                .init(
                    name: "acme-weiban", baseURL: vendor.weibanURL, source: "outflow", kind: "weiban.outflow",
                    sweeps: "[{every: 1s, span: 2h}]", isWeiban: true)
            ]))
        let process = try await relay.run()
        try await eventually("every loss is as the vendor has it", within: .seconds(60)) {
            let truth = vendor.outflows(at: now())
            let latest = try await latest(relay)
            return truth.count == 70
                && truth.allSatisfy {
                    latest["external_user/\($0.externalUserID)"]?.data.relation.remark == $0.remark
                }
        }
        #expect(try await Relay.stop(process) == .exited(0))
        let events = try await relay.events()
        #expect(events.count { $0.type == "customer.outflowed" } == 70)
        #expect(events.contains { $0.type == "customer.outflow_updated" })
        #expect(
            !process.errors.text.contains("sim-token") && !process.errors.text.contains("demoWeibanSecret"))
    }
}
