import EventModel
import Persisting
import Ports
import Testing

@testable import Ingesting

/// Pins lanes: each with a watermark of its own, taking turns, stored together.
struct LanePlansTests {
    private static let settings = WindowPlan.Settings(
        every: .seconds(60), lag: .seconds(10), overlap: .seconds(600), sweeps: [])
    private static let start = Timestamp(seconds: 1_790_000_000)
    private static let now = start + .seconds(3600)

    private static func plans(_ lanes: [String] = ["1", "2"], state: LanePlans.State? = nil) -> LanePlans {
        LanePlans(lanes: lanes, settings, state: state, start: start, now: now)
    }

    @Test func everyLaneIsReadAndThenAllWait() throws {
        var plans = Self.plans()
        var lanes: [String] = []
        while case .read(let window, let lane, let purpose) = plans.next(now: Self.now, vendorNow: Self.now) {
            lanes.append(lane)
            plans.completed(window, lane: lane, purpose, rows: 0, certain: nil, now: Self.now)
            try #require(lanes.count < 10)
        }
        #expect(lanes.sorted() == ["1", "2"])
        #expect(plans.next(now: Self.now, vendorNow: Self.now) == .wait(.seconds(60)))
        #expect(plans.watermark == Self.now - .seconds(10))
    }

    @Test func aLaneThatFailsHoldsTheWatermarkAndNotTheOther() {
        var plans = Self.plans()
        for _ in 0..<4 {
            guard
                case .read(let window, let lane, let purpose) = plans.next(now: Self.now, vendorNow: Self.now)
            else {
                break
            }
            if lane == "2" {
                plans.completed(window, lane: lane, purpose, rows: 0, certain: nil, now: Self.now)
            }
        }
        #expect(plans.watermark == Self.start)
        #expect(plans.state.lanes["2"]?.watermark == (Self.now - .seconds(10)).milliseconds)
    }

    @Test func stateSurvivesItsStoringAndANewLaneBeginsAtTheStart() throws {
        var plans = Self.plans(["1"])
        if case .read(let window, let lane, let purpose) = plans.next(now: Self.now, vendorNow: Self.now) {
            plans.completed(window, lane: lane, purpose, rows: 0, certain: nil, now: Self.now)
        }
        let state = try #require(LanePlans.State(plans.position))
        #expect(state == plans.state)
        let both = Self.plans(["1", "2"], state: state)
        #expect(both.state.lanes["1"] == state.lanes["1"])
        #expect(both.state.lanes["2"]?.watermark == Self.start.milliseconds)
    }

    @Test func aStateFromBeforeLanesIsThatOfTheOneLane() throws {
        let old = #"{"start":1000,"sweeps":{},"watermark":2000}"#
        let state = try #require(LanePlans.State(.init(state: old, watermark: nil)))
        #expect(state.lanes == ["": WindowPlan.State(start: 1000, watermark: 2000)])
    }

    @Test func sweepsSurviveTheirStoringAndNonsenseIsNoState() throws {
        let settings = WindowPlan.Settings(
            every: .seconds(60), lag: .seconds(10), overlap: .seconds(600),
            sweeps: [
                .init(every: .seconds(60), span: .seconds(120)), .init(every: .seconds(7200), span: nil),
            ])
        var plans = LanePlans(lanes: [""], settings, state: nil, start: Self.start, now: Self.now)
        for seconds in [0, 60] {
            let now = Self.now + .seconds(seconds)
            while case .read(let window, let lane, let purpose) = plans.next(now: now, vendorNow: now) {
                plans.completed(window, lane: lane, purpose, rows: 0, certain: nil, now: now)
            }
        }
        let first = Self.now.milliseconds
        #expect(plans.state.lanes[""]?.sweeps == ["60/120": first + 60_000, "7200/all": first])
        #expect(try #require(LanePlans.State(plans.position)) == plans.state)
        #expect(LanePlans.State(SourcePosition(state: "{}", watermark: nil)) == nil)
    }
}
