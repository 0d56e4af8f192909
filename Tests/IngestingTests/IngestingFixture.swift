import EventModel
import Foundation
import Normalizing
import Persisting
import Ports
import Services
import Synchronization
import TestSupport

@testable import Ingesting

/// What was logged, line by line.
final class LogLines: Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }
    var logger: Logger {
        Logger(level: .debug, format: .text, write: { line in self.state.withLock { $0.append(line) } })
    }

    func count(_ part: String) -> Int { all.count { $0.contains(part) } }
}

/// Rows of the form `second|identity|content`; anything else is refused.
struct PlainNormalizer: Normalizer {
    let kind = SourceKind.visits
    let documentedFields: Set<String> = ["time", "text", "id", "value"]

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 3, let second = Int64(parts[0]) else { throw RowError("row: not readable") }
        return NormalizedRow(
            identity: String(parts[1]), time: Timestamp(seconds: second), subject: "unionid/\(parts[1])",
            data: Array(#"{"content":"\#(parts[2])"}"#.utf8))
    }
}

/// A vendor in memory: gives the rows of a window in pages of two, and fails by script.
final class ScriptedSource: WindowSource {
    enum Behaviour {
        case whole
        /// After so many pages.
        case fails(SourceError.Kind, afterPages: Int)
        /// Waits in a request until it is cancelled.
        case hangs
    }

    private struct State {
        var rows: [String] = []
        var script: [Behaviour] = []
        var windows: [Window] = []
        var vendorAhead: Duration?
    }

    let kind = SourceKind.visits
    private let state = Mutex(State())
    private let clock: ManualClock

    init(_ clock: ManualClock) {
        self.clock = clock
    }

    var windows: [Window] { state.withLock { $0.windows } }

    func put(_ rows: String...) { state.withLock { $0.rows = rows } }
    func plan(_ script: Behaviour...) { state.withLock { $0.script = script } }
    func script(_ script: [Behaviour]) { state.withLock { $0.script = script } }
    func setVendorAhead(_ duration: Duration) { state.withLock { $0.vendorAhead = duration } }

    nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        let (rows, behaviour, ahead) = state.withLock { state in
            state.windows.append(window)
            let rows = state.rows.filter { row in
                guard let second = Int64(row.prefix { $0 != "|" }) else { return true }
                return second >= window.from.seconds && second < window.to.seconds
            }
            return (rows, state.script.isEmpty ? .whole : state.script.removeFirst(), state.vendorAhead)
        }
        let pages = stride(from: 0, to: max(1, rows.count), by: 2).map { rows.dropFirst($0).prefix(2) }
        for (place, page) in pages.enumerated() {
            if case .fails(let kind, let after) = behaviour, place >= after { throw failure(kind) }
            if case .hangs = behaviour {
                do throws(CancellationError) {
                    try await clock.sleep(for: .seconds(86_400))
                } catch {
                    throw failure(.cancelled)
                }
            }
            let vendorTime = ahead.map { clock.now + $0 }
            try await store(Page(rows: page.map { Array($0.utf8) }, vendorTime: vendorTime))
        }
        if case .fails(let kind, _) = behaviour { throw failure(kind) }
    }

    private func failure(_ kind: SourceError.Kind) -> SourceError {
        SourceError(kind, doing: "read", cause: "scripted")
    }
}

/// A poller on a real log; the clock stands at second 1 000 000 until a test moves it.
struct PollerFixture {
    let folder: TemporaryFolder
    let clock = ManualClock("1970-01-12T13:46:40Z")
    let lines = LogLines()
    let source: ScriptedSource
    let identity = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
    let normalizing = RowNormalizing(relay: "acme", account: "acme-tanma", normalizer: PlainNormalizer())

    static let second: Int64 = 1_000_000

    init() throws {
        folder = try TemporaryFolder()
        source = ScriptedSource(clock)
    }

    var path: String { folder.file("millrace.db") }

    func openLog() throws -> EventLog { try EventLog(path: path, timekeeper: clock) }

    static func schedule(start: Int64? = second - 1000) -> SourcePoller.Schedule {
        SourcePoller.Schedule(
            start: start.map { Timestamp(seconds: $0) }, every: .seconds(30), lag: .seconds(10),
            overlap: .seconds(600), sweeps: [])
    }

    func poller(
        _ log: EventLog, start: Int64? = second - 1000, source: (any WindowSource)? = nil
    ) -> SourcePoller {
        let gate = AccountGate(
            account: "acme-tanma", requestsPerSecond: 1, atOnce: 2, timekeeper: clock, draw: { 1 },
            logger: lines.logger)
        return SourcePoller(
            identity, source: source ?? self.source, normalizing: normalizing, log: log,
            schedule: Self.schedule(start: start),
            gate: gate, timekeeper: clock, draw: { 1 }, logger: lines.logger)
    }

    /// Runs a poller while a test goes on, and stops it.
    func running(_ poller: SourcePoller, _ body: () async throws -> Void) async throws {
        let task = Task { try await poller.run() }
        try await body()
        await poller.stop()
        try await task.value
    }

    func watermark(_ log: EventLog) async throws -> Int64? {
        try await log.position(of: identity)?.watermark?.seconds
    }

    /// Content and revision of every event, in the log's order.
    func events(_ log: EventLog) async throws -> [String] {
        try await log.events(after: 0, limit: 1000).map { event in
            let object = try JSONSerialization.jsonObject(with: Data(event.body)) as? NSDictionary
            let content = (object?["data"] as? NSDictionary)?["content"] as? String ?? "?"
            return "\(content) \(event.type) \(object?["revision"] ?? "?")"
        }
    }
}
