import CrashWorkload
import EventModel
import Ingesting
import Ports
import TestSupport

/// Customers and their records, decided by the seed, and an endpoint that answers one customer at a time: late, wrongly, in
/// part, or not at all, by schedule.
final class SimulatedCustomers: CustomerSource {
    let kind = SourceKind.followRecords
    let happenings: [Happening]
    /// How often a record that had been there was missing from a reply, for the oracle: two are needed for a deletion.
    let absences: Shared<[String: Int]>
    private let outside: VendorSide

    static let count = 14
    /// When relations introduced them: before the relay begins, so that discovery finds them.
    static let introduced = VirtualClock.start + .seconds(-3 * 86_400)

    init(seed: UInt64, _ world: World, _ outside: VendorSide, absences: Shared<[String: Int]>) {
        (self.outside, self.absences) = (outside, absences)
        var random = SeededGenerator(seed: seed &+ 3)
        happenings = (0..<world.records).map { number in
            var happening = Happening.random("record\(number)", in: world, &random)
            happening.owner = "wm\(Int.random(in: 0..<Self.count, using: &random))"
            if Int.random(in: 0..<5, using: &random) < 2 {
                let last = happening.versions.last?.since ?? happening.time
                happening.gone = last + .seconds(world.seconds(60...50_000, &random))
            }
            return happening
        }
    }

    func read(_ key: String) async throws(SourceError) -> CustomerList {
        try await outside.gate.forCustomers.admitted { () async throws(SourceError) in
            try await outside.pass(.milliseconds(150))
            let way = outside.way
            if let way, way % 4 < 3, (way + key.utf8.count) % 3 != 0 { try await outside.fail(way) }
            return CustomerList(rows: rows(of: key, lying: way.map { $0 % 4 == 3 } ?? false))
        }
    }

    /// - Parameter isLying: some of what there is, or nothing.
    private func rows(of key: String, lying isLying: Bool) -> [[UInt8]] {
        let now = outside.clock.now
        var rows: [[UInt8]] = []
        for (number, record) in happenings.enumerated() where record.owner == key {
            guard let content = record.content(at: now) else { continue }
            let isHidden = isLying && (outside.way ?? 0) % 3 != number % 3
            if isHidden || record.isGone(at: now) {
                absences.change { $0[record.identity, default: 0] += 1 }
            } else {
                rows.append(Array("\(record.time.seconds)|\(record.identity)|\(key)|\(content)".utf8))
            }
        }
        return rows
    }
}

/// Rows of the form `second|identity|customer|content`.
struct SimulatedRecordNormalizer: Normalizer {
    let kind = SourceKind.followRecords
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 4, let second = Int64(parts[0]) else { throw RowError("row: not readable") }
        return NormalizedRow(
            identity: String(parts[1]), time: Timestamp(seconds: second),
            subject: "external_user/\(parts[2])",
            data: Happening.data(String(parts[1]), String(parts[3])))
    }
}

/// The relations that introduce the customers, an hour apart; rows of the form `second|customer`.
struct SimulatedRelations: WindowSource {
    let kind = SourceKind.relations
    let outside: VendorSide

    nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        let rows = try await outside.gate.forCustomers.admitted { () async throws(SourceError) in
            try await outside.pass(.milliseconds(100))
            if let way = outside.way { try await outside.fail(way) }
            return (0..<SimulatedCustomers.count).map {
                (SimulatedCustomers.introduced + .seconds(3600 * $0), $0)
            }
            .filter { $0.0 >= window.from && $0.0 < window.to }
            .map { Array("\($0.0.seconds)|\($0.1)".utf8) }
        }
        try await store(Page(rows: rows, vendorTime: outside.clock.now))
    }
}

struct SimulatedRelationNormalizer: Normalizer {
    let kind = SourceKind.relations
    let documentedFields: Set<String> = []

    func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let parts = String(decoding: row, as: UTF8.self).split(separator: "|")
        guard parts.count == 2, let second = Int64(parts[0]), let customer = Int64(parts[1]) else {
            throw RowError("row: not readable")
        }
        return NormalizedRow(
            identity: "\(customer)", time: Timestamp(seconds: second), subject: "customer/\(customer)",
            data: Array("{}".utf8),
            customer: CustomerReference(customer: customer, externalUser: "wm\(customer)", staff: "s"))
    }
}
