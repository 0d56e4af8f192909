import CrashWorkload
import EventModel
import Ports
import TestSupport

/// What happens upstream, decided by the seed, and an endpoint that lists it and fails by schedule.
final class SimulatedVendor: WindowSource {
    /// One row and its versions: what it says from when on. The first may be listed later than its own time.
    struct Happening: Sendable {
        let identity: String
        let time: Timestamp
        let versions: [(since: Timestamp, content: String)]

        func content(at now: Timestamp) -> String? { versions.last { $0.since <= now }?.content }
    }

    let kind = SourceKind.visits
    let happenings: [Happening]
    private let clock: VirtualClock
    private let gate: any RequestGate
    private let troubles: [FaultSchedule.Trouble]
    private let pages = Shared(0)

    init(seed: UInt64, clock: VirtualClock, gate: any RequestGate, _ schedule: FaultSchedule) {
        (self.clock, self.gate, troubles) = (clock, gate, schedule.vendor)
        var random = SeededGenerator(seed: seed &+ 1)
        happenings = (0..<120).map { number in
            let seconds = Int64.random(in: 0..<(3 * 86_400), using: &random)
            let time = VirtualClock.start + .seconds(seconds)
            // Most are listed at once, some late: within the overlap, or so late that only a sweep can find them.
            let late = [0, 0, 0, 300, 36_000].randomElement(using: &random) ?? 0
            var (since, versions) = (time + .seconds(late), [(Timestamp, String)]())
            for version in 0..<Int.random(in: 1...3, using: &random) {
                versions.append((since, "\(number).\(version)"))
                since = since + .seconds(Int64.random(in: 60...30_000, using: &random))
            }
            return Happening(identity: "row\(number)", time: time, versions: versions)
        }.sorted { $0.time < $1.time }
    }

    nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        var rest: [Happening]? = happenings.filter { $0.time >= window.from && $0.time < window.to }
        var number = 0
        while let list = rest {
            let page = try await gate.admitted { () async throws(SourceError) in
                try await answer(list, number)
            }
            try await store(page.page)
            rest = page.rest.isEmpty ? nil : page.rest
            number += 1
        }
    }

    /// At most four rows a page; a request takes its time.
    private nonisolated(nonsending) func answer(
        _ list: [Happening], _ number: Int
    ) async throws(SourceError) -> (page: Page, rest: [Happening]) {
        try await pass(.milliseconds(200))
        if let trouble = FaultSchedule.trouble(troubles, at: clock.elapsed),
            trouble.way % 3 != number % 3 || number > 2
        {
            try await fail(trouble.way)
        }
        let now = clock.now
        let rows = list.prefix(4).compactMap { row in
            row.content(at: now).map { Array("\(row.time.seconds)|\(row.identity)|\($0)".utf8) }
        }
        return (Page(rows: rows, vendorTime: now), Array(list.dropFirst(4)))
    }

    private nonisolated(nonsending) func fail(_ way: Int) async throws(SourceError) {
        let kinds: [SourceError.Kind] = [
            .transport, .throttled(after: .seconds(90)), .credentials, .code(-1), .malformed,
            .throttled(after: nil),
        ]
        if way % 7 == 6 { try await pass(.seconds(30)) }
        throw SourceError(kinds[way % kinds.count], doing: "read", cause: "scheduled")
    }

    private nonisolated(nonsending) func pass(_ duration: Duration) async throws(SourceError) {
        do throws(CancellationError) {
            try await clock.sleep(for: duration)
        } catch {
            throw SourceError(.cancelled, doing: "read", cause: "cancelled")
        }
    }
}

/// Rows of the form `second|identity|content`.
struct SimulatedNormalizer: Normalizer {
    let kind = SourceKind.visits
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 3, let second = Int64(parts[0]) else { throw RowError("row: not readable") }
        return NormalizedRow(
            identity: String(parts[1]), time: Timestamp(seconds: second), subject: "unionid/\(parts[1])",
            data: Array(#"{"content":"\#(parts[2])"}"#.utf8))
    }
}
