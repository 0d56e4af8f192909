import EventModel
import Foundation
import Ports
import SQLite
import TestSupport

@testable import Persisting

/// A log with the schedules of one account: follow records and files.
struct CustomerFixture {
    let base: LogFixture
    let log: EventLog
    let follow = SourceIdentity(account: "acme-tanma", kind: .followRecords, name: "follow")
    let files = SourceIdentity(account: "acme-tanma", kind: .customerFiles, name: "files")
    let relations = SourceIdentity(account: "acme-tanma", kind: .relations, name: "relations")

    static let patience: Duration = .seconds(600)

    init() async throws {
        base = try LogFixture()
        log = try base.open()
        for source in [follow, files] {
            try await log.discovered([], for: source, position: LogFixture.position("begun"))
        }
    }

    var clock: ManualClock { base.clock }

    /// Customers 1 to `count`, as a discovery pass enters them.
    func discover(_ count: Int) async throws {
        let customers = (1...count).map {
            CustomerReference(customer: Int64($0), externalUser: "wm\($0)", staff: "s")
        }
        for source in [follow, files] {
            try await log.discovered(customers, for: source, position: LogFixture.position("done"))
        }
    }

    static func record(_ id: Int, customer: String = "wm1", content: String = "a") -> LogRow {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: .followRecords, identity: "\(id)",
            time: LogFixture.time + .seconds(id), subject: "external_user/\(customer)",
            data: Array(#"{"content":"\#(content)"}"#.utf8))
        return .event(draft, raw: Array("raw \(content)".utf8))
    }

    /// One whole reading of a customer.
    func read(_ ids: [Int], customer: String = "wm1", content: String = "a") async throws -> ReadingResult {
        try await read(ids.map { Self.record($0, customer: customer, content: content) }, customer: customer)
    }

    func read(_ rows: [LogRow], customer: String = "wm1") async throws -> ReadingResult {
        try await log.store(
            rows, from: follow,
            CustomerReading(
                key: customer, eventSource: "acme", picked: clock.now, reply: [1], patience: Self.patience))
    }

    /// Type, record and revision of every event, in the log's order.
    func events() async throws -> [String] {
        try await log.events(after: 0, limit: 1000).map { event in
            let decoded = try DecodedEvent(event)
            return "\(decoded.type) \(decoded.revision)"
        }
    }
}
