import CrashWorkload
import EventModel
import Ingesting
import Ports
import TestSupport

/// The visits, decided by the seed, and an endpoint that lists them and fails by schedule.
final class SimulatedVendor: WindowSource {
    let kind = SourceKind.visits
    let happenings: [Happening]
    private let outside: VendorSide

    init(seed: UInt64, _ world: World, _ outside: VendorSide) {
        self.outside = outside
        var random = SeededGenerator(seed: seed &+ 1)
        happenings = (0..<world.visits).map { number in
            // Most are listed at once, some late: within the overlap, or so late that only a sweep can find them.
            Happening.random("visit\(number)", late: [0, 0, 0, 300, 36_000], in: world, &random)
        }.sorted { $0.time < $1.time }
    }

    nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        var rest: [Happening]? = happenings.filter { $0.time >= window.from && $0.time < window.to }
        var number = 0
        while let list = rest {
            let page = try await outside.gate.admitted { () async throws(SourceError) in
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
        try await outside.pass(.milliseconds(200))
        if let way = outside.way, way % 3 != number % 3 || number > 2 { try await outside.fail(way) }
        let now = outside.clock.now
        let rows = list.prefix(4).compactMap { row in
            row.content(at: now).map { Array("\(row.time.seconds)|\(row.identity)|\($0)".utf8) }
        }
        return (Page(rows: rows, vendorTime: now), Array(list.dropFirst(4)))
    }
}

/// Rows of the form `second|identity|content`. Each visit is of one of the customers.
struct SimulatedNormalizer: Normalizer {
    let kind = SourceKind.visits
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 3, let second = Int64(parts[0]) else { throw RowError("row: not readable") }
        return NormalizedRow(
            identity: String(parts[1]), time: Timestamp(seconds: second), subject: "unionid/\(parts[1])",
            data: Happening.data(String(parts[1]), String(parts[2])),
            customer: CustomerReference(customer: second % Int64(SimulatedCustomers.count)))
    }
}
