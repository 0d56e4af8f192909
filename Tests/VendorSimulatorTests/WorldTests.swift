import EventModel
import Testing

@testable import VendorSimulator

/// The world alone: pure, so no server and no clock.
@Suite struct WorldTests {
    private static let start = Timestamp(seconds: 1_772_000_000)

    private func world(
        seed: UInt64 = 1, rows: Int = 500, rate: Double = 0, limit: Int? = nil, late: Double = 0,
        revise: Double = 0
    ) -> SimulatedVisits {
        SimulatedVisits(
            .init(
                seed: seed, start: Self.start, rows: rows, rate: rate, limit: limit, late: late,
                revise: revise))
    }

    @Test func theSameSeedMakesTheSameWorldHoweverOftenItIsAsked() {
        var once = world(rate: 12.5, late: 0.2, revise: 0.2)
        var often = world(rate: 12.5, late: 0.2, revise: 0.2)
        let end = Self.start + .seconds(60)
        for step in 0..<600 { often.advance(to: Self.start + .milliseconds(step * 97)) }
        #expect(once.truth(at: end) == often.truth(at: end))
        var other = world(seed: 2, rate: 12.5, late: 0.2, revise: 0.2)
        #expect(once.truth(at: end) != other.truth(at: end))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func noTwoRowsHaveTheSameIdentity(seed: UInt64) {
        var world = world(seed: seed, rows: 5000, rate: 3000)
        let rows = world.truth(at: Self.start + .seconds(5)).map(\.visit)
        #expect(rows.count > 19_000)
        #expect(Set(rows.map(\.identity)).count == rows.count)
        let anonymous = rows.filter { $0.unionid == nil }
        #expect(
            Set(anonymous.map { "\($0.contentType) \($0.contentId) \($0.visitTime) \($0.viewTimes)" }).count
                == anonymous.count)
    }

    @Test func theWorldHasEverythingThatTripsAReader() {
        var world = world(rows: 2000)
        let rows = world.truth(at: Self.start).map(\.visit)
        #expect(rows.contains { $0.unionid == nil })
        #expect(rows.contains { $0.customerId != nil } && rows.contains { $0.customerId == nil })
        #expect(rows.allSatisfy { ($0.customerId ?? 0) < 1 << 53 })
        #expect(rows.contains { $0.nickname.unicodeScalars.contains { $0.value > 0xFFFF } })
        #expect(rows.contains { $0.viewDuration == nil } && rows.contains { $0.viewDuration != nil })
        #expect(rows.contains { $0.viewTimes == 3 } && rows.allSatisfy { (1...3).contains($0.viewTimes) })
        #expect(rows.contains { $0.shareFrom.prevVisitorUnionId != nil })
        #expect(rows.allSatisfy { $0.mobile?.hasPrefix("1000000") ?? true })
        #expect(rows.contains { $0.mobile?.count == 11 })
        #expect(zip(rows, rows.dropFirst()).contains { $0.visitTime == $1.visitTime })
    }

    @Test func historyEndsWhereTheStartIs() {
        var world = world(rows: 1000)
        let rows = world.truth(at: Self.start).map(\.visit)
        #expect(rows.count == 1000)
        #expect(rows.allSatisfy { $0.visitTime < Self.start.chinaText })
        #expect(rows.allSatisfy { $0.visitTime >= (Self.start - .seconds(3600)).chinaText })
    }

    @Test func rowsAppearAsTheyHappenUpToTheLimit() {
        var world = world(rows: 0, rate: 0.5, limit: 10)
        #expect(world.truth(at: Self.start - .seconds(1)).isEmpty)
        let half = world.truth(at: Self.start + .seconds(10))
        #expect((3...7).contains(half.count))
        #expect(half.allSatisfy { $0.visit.visitTime <= (Self.start + .seconds(10)).chinaText })
        #expect(world.truth(at: Self.start + .seconds(3600)).count == 10)
    }

    @Test func lateRowsAppearSecondsAfterTheyHappened() {
        var world = world(rows: 0, rate: 10, limit: 100, late: 0.5)
        var punctual = self.world(rows: 0, rate: 10, limit: 100)
        let end = Self.start + .seconds(11)
        let missing = punctual.truth(at: end).count - world.truth(at: end).count
        #expect((10...90).contains(missing))
        // Late is when a row is seen, not which row it is.
        let settled = end + .seconds(31)
        #expect(world.truth(at: settled) == punctual.truth(at: settled))
    }

    @Test func revisedRowsGetTheirDurationAfterTheyAppeared() {
        var world = world(rows: 0, rate: 10, limit: 100, revise: 0.5)
        let early = world.truth(at: Self.start + .seconds(12))
        let late = world.truth(at: Self.start + .seconds(80))
        #expect(early.map(\.visit.identity) == late.map(\.visit.identity))
        let revised = zip(early, late).filter { $0.visit != $1.visit }
        #expect((20...80).contains(revised.count))
        #expect(revised.allSatisfy { $0.visit.viewDuration == nil && $1.visit.viewDuration != nil })
        #expect(revised.allSatisfy { !$0.isRevised && $1.isRevised })
        #expect((20...80).contains(late.count { $0.isRevised }))
    }

    @Test func theVendorsRowsComeInWhenTheirTimeCanBeRead() {
        let early = Timestamp(seconds: 1_628_230_000)
        var world = SimulatedVisits(
            .init(seed: 1, start: early, rows: 50, rate: 0.01), sample: VendorSample.visits)
        #expect(world.truth(at: early).count == 50)
        let rows = world.truth(at: early + .seconds(86_400)).map(\.visit)
        #expect(VendorSample.visits.allSatisfy { rows.contains($0) })
        #expect(rows.map(\.visitTime) == rows.map(\.visitTime).sorted())
    }
}
