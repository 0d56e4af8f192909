import EventModel
import Ports
import TestSupport
import Testing

@testable import TanmaSource

/// A vendor in memory: rows by (second, customer id or 0), a cursor that goes on strictly after such a
/// position, a limit of its own on pages, and one of the ways in which a
/// last page may say that it is the last.
struct ModelVendor {
    struct Row: Hashable {
        let number: Int
        let second: Int64
        let customer: Int64?
    }

    enum LastCursor: CaseIterable { case null, same }
    enum Answer {
        case page([Row], cursor: String?)
        case refused
    }

    let rows: [Row]
    let end: Int64
    let limit: Int
    let lastCursor: LastCursor
    let refusesAboveLimit: Bool

    func answer(_ request: VisitPaging.Request) -> Answer {
        if refusesAboveLimit, request.size > limit { return .refused }
        let position = request.cursor.map(Self.position)
        let matching = rows.filter { row in
            guard row.second >= request.since.seconds, row.second < end else { return false }
            guard let position else { return true }
            return (row.second, row.customer ?? 0) > position
        }
        let page = Array(matching.prefix(min(request.size, limit)))
        let own = page.last.map { "\($0.second):\($0.customer ?? 0)" }
        if matching.count > page.count { return .page(page, cursor: own) }
        return .page(page, cursor: lastCursor == .null ? nil : own ?? request.cursor)
    }

    private static func position(_ cursor: String) -> (Int64, Int64) {
        let parts = cursor.split(separator: ":").compactMap { Int64($0) }
        return (parts[0], parts[1])
    }

    /// A world with many ties, some of them anonymous.
    static func random(
        _ random: inout SeededGenerator, limit: Int, refusesAboveLimit: Bool = false
    ) -> ModelVendor {
        let end = Int64.random(in: 1...60, using: &random)
        let tie = Int.random(in: 1...8, using: &random)
        var rows: [Row] = []
        for second in 0..<end where Bool.random(using: &random) {
            let burst = Int.random(in: 0..<40, using: &random) == 0 ? 200 : tie
            for _ in 0..<Int.random(in: 1...burst, using: &random) {
                let customer: Int64? = Bool.random(using: &random) ? nil : .random(in: 1...9, using: &random)
                rows.append(Row(number: rows.count, second: second, customer: customer))
            }
        }
        rows.sort { ($0.second, $0.customer ?? 0, $0.number) < ($1.second, $1.customer ?? 0, $1.number) }
        return ModelVendor(
            rows: rows, end: end, limit: limit,
            lastCursor: LastCursor.allCases.randomElement(using: &random) ?? .null,
            refusesAboveLimit: refusesAboveLimit)
    }
}

/// A window walked to its end.
struct Walk {
    private(set) var seen: Set<ModelVendor.Row> = []
    private(set) var risked: Set<Int64> = []
    private(set) var requests = 0
    private(set) var end: VisitPaging.Step?

    init(_ vendor: ModelVendor, pageSize: Int, maxRequests: Int) {
        let window = Window(from: Timestamp(seconds: 0), to: Timestamp(seconds: vendor.end))
        var paging = VisitPaging(window, pageSize: pageSize)
        var step = VisitPaging.Step.next(paging.request)
        while case .next(let request) = step, requests < maxRequests {
            requests += 1
            switch vendor.answer(request) {
            case .page(let rows, let cursor):
                seen.formUnion(rows)
                step = paging.received(
                    VisitPaging.Reply(
                        count: rows.count, lastSecond: rows.last.map { Timestamp(seconds: $0.second) },
                        cursor: cursor))
            case .refused:
                step = paging.largerPageRefused() ?? .loop("refused")
            }
            if let second = paging.riskedSecond { risked.insert(second.seconds) }
        }
        end = step
    }
}

/// Random worlds; a failure names its seed.
struct VisitPagingModelTests {
    private static func bound(_ vendor: ModelVendor) -> Int {
        10 + 16 * Int(vendor.end) + 2 * vendor.rows.count
    }

    @Test(arguments: UInt64(1)...400)
    func everyRowIsSeenWhereLargerPagesAreGranted(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let vendor = ModelVendor.random(&random, limit: .max)
        let walk = Walk(
            vendor, pageSize: .random(in: 1...20, using: &random), maxRequests: Self.bound(vendor))
        #expect(walk.end == .end, "seed \(seed)")
        #expect(walk.seen == Set(vendor.rows), "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...800)
    func whatALimitHidesIsReported(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let limit = Int.random(in: 2...30, using: &random)
        let vendor = ModelVendor.random(&random, limit: limit)
        let walk = Walk(
            vendor, pageSize: .random(in: 1...40, using: &random), maxRequests: Self.bound(vendor))
        #expect(walk.end == .end, "seed \(seed)")
        // Of the last second nobody can tell a cut page from a whole one: the overlap reads it again.
        let lost = Set(vendor.rows).subtracting(walk.seen).map(\.second)
        let last = vendor.rows.last?.second
        #expect(lost.allSatisfy { walk.risked.contains($0) || $0 == last }, "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...200)
    func aVendorThatRefusesLargerPagesIsReadToTheEnd(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pageSize = Int.random(in: 2...20, using: &random)
        let vendor = ModelVendor.random(&random, limit: pageSize, refusesAboveLimit: true)
        let walk = Walk(vendor, pageSize: pageSize, maxRequests: Self.bound(vendor))
        #expect(walk.end == .end, "seed \(seed)")
        let lost = Set(vendor.rows).subtracting(walk.seen).map(\.second)
        #expect(lost.allSatisfy { walk.risked.contains($0) }, "seed \(seed)")
    }

    @Test(arguments: ModelVendor.LastCursor.allCases)
    func aBurstOfAnonymousRowsThatIsNotGrantedIsReportedAtOnce(lastCursor: ModelVendor.LastCursor) {
        let rows = (0..<200).map { ModelVendor.Row(number: $0, second: 5, customer: nil) }
        let vendor = ModelVendor(
            rows: rows, end: 10, limit: 100, lastCursor: lastCursor, refusesAboveLimit: false)
        let walk = Walk(vendor, pageSize: 100, maxRequests: 20)
        #expect(walk.end == .end)
        #expect(walk.risked == [5])
    }

    @Test(arguments: ModelVendor.LastCursor.allCases, [2, 4, 5, 100, 200])
    func aBurstThatIsGrantedIsReadWithoutAnAlarm(lastCursor: ModelVendor.LastCursor, pageSize: Int) {
        let rows = (0..<201).map { ModelVendor.Row(number: $0, second: $0 == 200 ? 7 : 5, customer: nil) }
        let vendor = ModelVendor(
            rows: rows, end: 10, limit: .max, lastCursor: lastCursor, refusesAboveLimit: false)
        let walk = Walk(vendor, pageSize: pageSize, maxRequests: 30)
        #expect(walk.end == .end)
        #expect(walk.seen == Set(rows))
        #expect(walk.risked == [])
    }
}
