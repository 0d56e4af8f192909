import EventModel
import Foundation
import TestSupport
import Testing
import VendorSimulator

/// Follow records and files travel the whole way: customers found by discovery and as they come, edits, deletions, returns,
/// customers who are removed and added again, a vendor that fails, a crash in between.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CustomerTests {
    private struct Latest {
        var types: [String] = []
        var text: String?
        var isDeleted: Bool { types.last == "follow_record.deleted" }
    }

    private static let limit = 60

    private func options() -> SimulatorOptions {
        var options = SimulatorOptions()
        (options.seed, options.rows, options.rate, options.limit) = (5, 40, 10, 40)
        (options.revise, options.deletes, options.returns, options.comeBack) = (0.4, 0.3, 0.5, 0.2)
        (options.emptyIsNull, options.lastIDComesBack) = (true, true)
        options.faults.shares = [.status500: 0.02, .drop: 0.02, .code: 0.02, .malformedPage: 0.02]
        return options
    }

    private func relay(_ vendor: VendorSimulator) throws -> Relay {
        let relay = try Relay(RelayConfiguration(accounts: []))
        try relay.write(
            """
            relay: {name: acme}
            store: {url: "sqlite:./data/millrace.db"}
            log: {level: info, format: text}
            accounts:
              - {name: acme-tanma, vendor: tanma, base_url: "\(vendor.baseURL)", app_id: ww0123456789abcdef_Demo01,
                 app_key: "${TANMA_APP_KEY}", requests_per_second: \(Self.limit), timeout: 10s}
            sources:
              - {name: relations, account: acme-tanma, kind: tanma.relations, every: 500ms, lag: 1s,
                 sweeps: [{every: 2s, span: all}]}
              - {name: follow, account: acme-tanma, kind: tanma.follow_records, every: 200ms, max_age: 3s,
                 customers_since: "\(Timestamp.present.flooredToSecond.rfc3339.prefix(4))-01-01T00:00:00Z"}
              - {name: files, account: acme-tanma, kind: tanma.customer_files, every: 200ms, max_age: 3s,
                 page_size: 2, customers_since: "2025-01-01T00:00:00Z"}
            """)
        return relay
    }

    /// The types of each record's events in their order, and the text of its latest.
    private func latest(_ relay: Relay, entity: String, text field: String) async throws -> [String: Latest] {
        var latest: [String: Latest] = [:]
        for event in try await relay.events() where event.type.hasPrefix(entity) {
            let data = try event.values()["data"] as? NSDictionary
            let id = try (data?["record_id"] as? String).unwrapped("an event has no record_id")
            latest[id, default: Latest()].types.append(event.type)
            latest[id]?.text = data?[field] as? String
        }
        return latest
    }

    private func recordsAgree(_ relay: Relay, _ vendor: VendorSimulator) async throws -> Bool {
        let latest = try await latest(relay, entity: "follow_record", text: "content")
        let now = Timestamp.present
        let alive = vendor.followRecords(at: now)
        let gone = vendor.deletedFollowRecords(at: now)
        return !alive.isEmpty && !gone.isEmpty
            && alive.allSatisfy {
                latest["\($0.id)"]?.text == $0.content && latest["\($0.id)"]?.isDeleted == false
            }
            // What was gone before anybody looked was never there.
            && gone.allSatisfy { latest["\($0.id)"]?.isDeleted ?? true }
    }

    private func filesAgree(_ relay: Relay, _ vendor: VendorSimulator) async throws -> Bool {
        let latest = try await latest(relay, entity: "customer_file", text: "note")
        let files = vendor.customerFiles(at: .present)
        return !files.isEmpty
            && files.allSatisfy { latest["\($0.id)"] != nil && latest["\($0.id)"]?.text == $0.note }
    }

    @Test func everyRecordAndFileEndsAsTheVendorHasItAlsoThroughACrash() async throws {
        let vendor = try VendorSimulator(options(), now: { .present })
        defer { vendor.stop() }
        let begun = Timestamp.present
        let relay = try relay(vendor)
        let first = try await relay.run()
        try await eventually("some records are stored") { try await relay.status().store.head > 30 }
        first.signal(SIGKILL)
        _ = try await first.ended(within: .seconds(10))
        let second = try await relay.run()
        let rest = begun + .seconds(25)
        try await eventually("the last row, deletion and return of the world are over", within: .seconds(40))
        {
            Timestamp.present > rest
        }
        try await eventually("every record is as the vendor has it", within: .seconds(60)) {
            try await recordsAgree(relay, vendor)
        }
        try await eventually("every file is as the vendor has it", within: .seconds(60)) {
            try await filesAgree(relay, vendor)
        }
        #expect(try await Relay.stop(second) == .exited(0))
        try await expectSound(relay, vendor)
    }

    private func expectSound(_ relay: Relay, _ vendor: VendorSimulator) async throws {
        let events = try await relay.events()
        #expect(events.compactMap(\.offset) == (1...Int64(events.count)).map { $0 })
        #expect(Set(events.map(\.id)).count == events.count)
        for type in ["follow_record.updated", "follow_record.deleted", "customer_file.updated"] {
            #expect(events.contains { $0.type == type }, "\(type)")
        }
        // Discovery emits nothing: relations begin where their source does.
        let created = events.filter { $0.type == "relation.created" }.count
        #expect(created < vendor.relations(at: .present).count)
        let load = vendor.statistics.tanma
        #expect(load.busiestSecond <= Self.limit + Self.limit / 10 && load.mostAtOnce <= 4)
        let finished = try await Validator.run(events, in: relay.folder)
        #expect(finished.exitCode == 0, "\(finished.errors)")
    }
}
