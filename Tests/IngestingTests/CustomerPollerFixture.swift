import EventModel
import Foundation
import Normalizing
import Persisting
import Ports
import Services
import Synchronization
import TestSupport

@testable import Ingesting

/// Rows of the form `id|customer|content`, a time each; anything else is refused.
struct RecordNormalizer: Normalizer {
    let kind = SourceKind.followRecords
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 3, let id = Int64(parts[0]) else { throw RowError("row: not readable") }
        return NormalizedRow(
            identity: String(id), time: Timestamp(seconds: id), subject: "external_user/\(parts[1])",
            data: Array(#"{"content":"\#(parts[2])"}"#.utf8))
    }
}

/// Rows of the form `second|customer`: a relation that introduces `wm{customer}`.
struct RelationRowNormalizer: Normalizer {
    let kind = SourceKind.relations
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count >= 2, let second = Int64(parts[0]), let customer = Int64(parts[1]) else {
            throw RowError("row: not readable")
        }
        return NormalizedRow(
            identity: String(customer), time: Timestamp(seconds: second), subject: "customer/\(customer)",
            data: Array("{}".utf8),
            customer: CustomerReference(customer: customer, externalUser: "wm\(customer)", staff: "s"))
    }
}

/// A vendor in memory that answers one customer at a time, and fails for those it is told to.
final class ScriptedCustomers: CustomerSource {
    private struct State {
        var rows: [String: [String]] = [:]
        var failing: [String: SourceError.Kind] = [:]
        var asked: [String] = []
    }

    let kind = SourceKind.followRecords
    private let state = Mutex(State())

    var asked: [String] { state.withLock { $0.asked } }
    func put(_ customer: String, _ rows: String...) { state.withLock { $0.rows[customer] = rows } }
    func fail(_ customer: String, _ kind: SourceError.Kind?) {
        state.withLock { $0.failing[customer] = kind }
    }
    func forgetAsked() { state.withLock { $0.asked = [] } }

    func read(_ key: String) async throws(SourceError) -> CustomerList {
        let (rows, failure) = state.withLock { state in
            state.asked.append(key)
            return (state.rows[key] ?? [], state.failing[key])
        }
        if let failure { throw SourceError(failure, doing: "read a customer", cause: "scripted") }
        return CustomerList(rows: rows.map { Array($0.utf8) })
    }
}

/// A poller of single customers on a real log; the clock stands at second 1 000 000 until a test moves it.
struct CustomerPollerFixture {
    let base: PollerFixture
    let log: EventLog
    let vendor = ScriptedCustomers()
    let identity = SourceIdentity(account: "acme-tanma", kind: .followRecords, name: "follow")

    init() throws {
        base = try PollerFixture()
        log = try base.openLog()
    }

    var clock: ManualClock { base.clock }
    var lines: LogLines { base.lines }
    var relations: ScriptedSource { base.source }

    func poller(maxAge: Duration = .seconds(3600), perSecond: Double = 1000) -> CustomerPoller {
        let gate = AccountGate(
            account: "acme-tanma", requestsPerSecond: 1000, atOnce: 4, timekeeper: clock, draw: { 1 },
            logger: lines.logger)
        return CustomerPoller(
            identity, source: vendor,
            relations: .init(source: relations, normalizer: RelationRowNormalizer()),
            normalizing: RowNormalizing(relay: "acme", account: "acme-tanma", normalizer: RecordNormalizer()),
            log: log,
            schedule: .init(
                every: .seconds(10), maxAge: maxAge, since: Timestamp(seconds: 900_000),
                requestsPerSecond: perSecond),
            gate: gate, timekeeper: clock, draw: { 1 }, logger: lines.logger)
    }

    /// Runs a poller while a test goes on, and stops it.
    func running(_ poller: CustomerPoller, _ body: () async throws -> Void) async throws {
        let task = Task { try await poller.run() }
        try await body()
        await poller.stop()
        try await task.value
    }

    /// Lets the poller work until it has nothing to do, and moves time to its next look.
    func idle(then: Duration = .seconds(10)) async {
        _ = await clock.nextSleep()
        clock.advance(by: then)
    }
}
