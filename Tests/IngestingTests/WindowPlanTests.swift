import EventModel
import Persisting
import Ports
import Testing

@testable import Ingesting

/// A plan beside a clock that both sides share unless a test says otherwise.
struct PlanDriver {
    let settings: WindowPlan.Settings
    var plan: WindowPlan
    var now: Timestamp

    /// - Parameters:
    ///   - start: seconds; also the first watermark.
    ///   - now: seconds.
    init(
        start: Int64 = 0, now: Int64, every: Duration = .seconds(30), lag: Duration = .seconds(10),
        overlap: Duration = .seconds(600), sweeps: [WindowPlan.Sweep] = []
    ) {
        self.now = Timestamp(seconds: now)
        settings = WindowPlan.Settings(every: every, lag: lag, overlap: overlap, sweeps: sweeps)
        plan = WindowPlan(
            settings,
            state: WindowPlan.State(start: start * 1000, watermark: start * 1000), now: self.now)
    }

    mutating func next() -> WindowPlan.Step { plan.next(now: now, vendorNow: now) }

    /// Completes what comes next and says what it was.
    mutating func complete(rows: Int = 0, certain: Timestamp? = nil) -> WindowPlan.Step {
        let step = next()
        if case .read(let window, let purpose) = step {
            plan.completed(window, purpose, rows: rows, certain: certain, now: now)
        }
        return step
    }

    static func live(_ from: Int64, _ to: Int64) -> WindowPlan.Step {
        .read(Window(from: Timestamp(seconds: from), to: Timestamp(seconds: to)), .live)
    }

    static func sweep(_ from: Int64, _ to: Int64, _ place: Int = 0) -> WindowPlan.Step {
        .read(Window(from: Timestamp(seconds: from), to: Timestamp(seconds: to)), .sweep(place))
    }
}

struct WindowPlanTests {
    private static let day: Int64 = 86_400

    @Test func theFirstWindowBeginsAtTheStartAndEndsALagAgo() {
        var driver = PlanDriver(start: 1000, now: 5000)
        #expect(driver.next() == PlanDriver.live(1000, 4990))
    }

    @Test func aStartOfNowWaitsUntilTheLagHasPassed() {
        var driver = PlanDriver(start: 5000, now: 5000)
        #expect(driver.next() == .wait(.seconds(30)))
        driver.now = Timestamp(seconds: 5030)
        #expect(driver.next() == PlanDriver.live(5000, 5020))
    }

    @Test func laterWindowsOverlapAndComeEvery() {
        var driver = PlanDriver(start: 0, now: 5000)
        _ = driver.complete()
        #expect(driver.plan.watermark == Timestamp(seconds: 4990))
        #expect(driver.next() == .wait(.seconds(30)))
        driver.now = Timestamp(seconds: 5030)
        #expect(driver.next() == PlanDriver.live(4390, 5020))
    }

    @Test func fractionsOfASecondAreCut() {
        var driver = PlanDriver(start: 0, now: 0)
        driver.now = Timestamp(milliseconds: 5_000_999)
        #expect(driver.next() == PlanDriver.live(0, 4990))
    }

    @Test func aWindowThatIsNotCompletedComesAgain() {
        var driver = PlanDriver(start: 0, now: 5000)
        #expect(driver.next() == driver.next())
        #expect(driver.plan.watermark == Timestamp(seconds: 0))
        driver.now = Timestamp(seconds: 5007)
        #expect(driver.next() == PlanDriver.live(0, 4997))
    }

    @Test func nothingBeforeTheStartIsRead() {
        var driver = PlanDriver(
            start: 4900, now: 5000, sweeps: [.init(every: .seconds(60), span: .seconds(7200))])
        _ = driver.complete()
        driver.now = Timestamp(seconds: 5060)
        #expect(driver.complete() == PlanDriver.live(4900, 5050))
        #expect(driver.next() == PlanDriver.sweep(4900, 5050))
    }

    @Test func farBehindTheEdgeIsReadFirstAndTheGapForwardInPiecesThatGrow() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day + 10)
        #expect(driver.complete(rows: 5) == PlanDriver.live(100 * Self.day - 600, 100 * Self.day))
        #expect(driver.plan.watermark == Timestamp(seconds: 0))
        var (steps, from): ([Int64], Int64) = ([], 0)
        while case .read(let window, .backfill) = driver.complete(rows: 5), steps.count < 20 {
            #expect(window.from == Timestamp(seconds: from))
            steps.append((window.to.seconds - from + 600) / Self.day)
            from = window.to.seconds
        }
        #expect(steps == [1, 2, 4, 8, 16, 32, 37])
        #expect(driver.plan.watermark == Timestamp(seconds: 100 * Self.day) && driver.plan.gap == nil)
    }

    @Test func theLiveEdgeIsPolledOnTimeBetweenThePieces() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day + 10)
        _ = driver.complete()
        for poll in 1...3 {
            guard case .read(_, .backfill) = driver.complete(rows: 5000) else { return #expect(Bool(false)) }
            driver.now = driver.now + .seconds(30)
            let to = 100 * Self.day + 30 * Int64(poll)
            #expect(driver.complete() == PlanDriver.live(to - 630, to))
        }
        #expect(driver.plan.watermark == Timestamp(seconds: 3 * Self.day))
        #expect(driver.plan.gap?.to == Timestamp(seconds: 100 * Self.day - 600))
    }

    @Test func aRestartGoesOnWithTheGapAndTheEdge() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day + 10)
        _ = driver.complete()
        _ = driver.complete(rows: 5000)
        driver.plan = WindowPlan(driver.settings, state: driver.plan.state, now: driver.now)
        #expect(driver.complete() == PlanDriver.live(100 * Self.day - 600, 100 * Self.day))
        #expect(
            driver.next()
                == .read(Window(from: .init(seconds: Self.day), to: .init(seconds: 2 * Self.day)), .backfill))
    }

    @Test func anEdgeThatFellBehindIsForgottenAndTheGapReachesOverIt() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day + 10)
        _ = driver.complete()
        driver.now = driver.now + .seconds(10 * Self.day)
        #expect(driver.complete() == PlanDriver.live(110 * Self.day - 600, 110 * Self.day))
        #expect(driver.plan.gap?.to == Timestamp(seconds: 110 * Self.day - 600))
    }

    @Test func busyDaysShrinkThePieces() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day)
        let spans = (0..<10).map { _ -> Int64 in
            guard case .read(let window, _) = driver.complete(rows: 20_000) else { return 0 }
            return window.to.seconds - window.from.seconds
        }
        #expect(spans == [600, 43_200, 21_600, 10_800, 5400, 2700, 1350, 675, 600, 600])
    }

    @Test func piecesThatFailOrTakeLongGetShorter() {
        var driver = PlanDriver(start: 0, now: 100 * Self.day)
        _ = driver.complete()
        guard case .read(let first, .backfill) = driver.next() else { return #expect(Bool(false)) }
        driver.plan.failed(first)
        guard case .read(let second, .backfill) = driver.next() else { return #expect(Bool(false)) }
        #expect(second.from == first.from && second.to - second.from == .seconds(43_200))
        driver.plan.completed(
            second, .backfill, rows: 5, took: .seconds(61), certain: nil, now: driver.now)
        guard case .read(let third, .backfill) = driver.next() else { return #expect(Bool(false)) }
        #expect(third.to - third.from == .seconds(21_600))
    }

    @Test func quietPollsDoNotMakeTheNextCatchUpOneHugeWindow() {
        var driver = PlanDriver(start: 0, now: 5000)
        for _ in 0..<100 {
            _ = driver.complete()
            driver.now = driver.now + .seconds(30)
        }
        let watermark = driver.plan.watermark
        driver.now = driver.now + .seconds(30 * Self.day)
        guard case .read(_, .live) = driver.complete() else { return #expect(Bool(false)) }
        guard case .read(let window, .backfill) = driver.next() else { return #expect(Bool(false)) }
        #expect(window.to == watermark + .seconds(Self.day))
    }

    @Test func aWindowEndsNoLaterThanTheVendorsTimeAllows() {
        var driver = PlanDriver(start: 0, now: 5000)
        let step = driver.plan.next(now: driver.now, vendorNow: Timestamp(seconds: 3000))
        #expect(step == PlanDriver.live(0, 2990))
    }

    @Test func theWatermarkStaysBehindAVendorWhoseClockIsSlow() {
        var driver = PlanDriver(start: 0, now: 5000)
        _ = driver.complete(certain: Timestamp(milliseconds: 2_990_700))
        #expect(driver.plan.watermark == Timestamp(seconds: 2990))
        _ = driver.complete(certain: Timestamp(seconds: 100))
        #expect(driver.plan.watermark == Timestamp(seconds: 2990))
    }

    @Test func aWallClockThatIsSetBackDelaysAPollByOneIntervalAtMost() {
        var driver = PlanDriver(start: 0, now: 90_000)
        while case .read = driver.complete() {}
        driver.now = Timestamp(seconds: 3600)
        #expect(driver.next() == .wait(.seconds(30)))
        driver.now = Timestamp(seconds: 95_000)
        guard case .read = driver.next() else { return #expect(Bool(false)) }
    }

    @Test func aSweepIsDueOnlyAfterItsTime() {
        var driver = PlanDriver(
            start: 0, now: 50_000, sweeps: [.init(every: .seconds(3600), span: .seconds(7200))])
        #expect(driver.complete() == PlanDriver.live(0, 49_990))
        driver.now = Timestamp(seconds: 53_599)
        #expect(driver.complete() == PlanDriver.live(49_390, 53_589))
        #expect(driver.next() == .wait(.seconds(30)))
        driver.now = Timestamp(seconds: 53_629)
        #expect(driver.complete() == PlanDriver.live(52_989, 53_619))
        #expect(driver.complete() == PlanDriver.sweep(46_419, 53_619))
        #expect(driver.next() == .wait(.seconds(30)))
    }

    @Test func sweepsComeInPiecesAndALiveWindowGoesBeforeEach() {
        var driver = PlanDriver(
            start: 0, now: 10 * Self.day + 10, sweeps: [.init(every: .seconds(30), span: nil)])
        while case .read = driver.complete(rows: 5000) {}
        driver.now = driver.now + .seconds(30)
        let end = 10 * Self.day + 30
        var from: Int64 = 0
        while from < end, case .read(let window, let purpose) = driver.complete(rows: 5000) {
            if purpose == .live {
                #expect(window.to >= Timestamp(seconds: end))
                continue
            }
            #expect(window.from == Timestamp(seconds: from))
            from = window.to.seconds
            driver.now = driver.now + .seconds(30)
            #expect(driver.next() == driver.next())
            guard case .read(_, .live) = driver.next() else { return #expect(Bool(false)) }
        }
        #expect(from == end)
        #expect(driver.plan.watermark > Timestamp(seconds: end))
    }

    @Test func aRestartGoesOnWithTheSweepUnderWay() {
        let sweeps = [WindowPlan.Sweep(every: .seconds(30), span: .seconds(2 * Self.day))]
        var driver = PlanDriver(start: 0, now: 3 * Self.day, sweeps: sweeps)
        while case .read = driver.complete(rows: 5000) {}
        driver.now = driver.now + .seconds(30)
        _ = driver.complete(rows: 5000)
        guard case .read(let first, .sweep) = driver.complete(rows: 5000) else { return #expect(Bool(false)) }
        driver.plan = WindowPlan(driver.settings, state: driver.plan.state, now: driver.now)
        _ = driver.complete(rows: 5000)
        guard case .read(let second, .sweep) = driver.next() else { return #expect(Bool(false)) }
        #expect(second.from == first.to)
    }

    @Test func aSweepThatFailsIsReadAgainFromWhereItStopped() {
        var driver = PlanDriver(
            start: 0, now: 3 * Self.day, sweeps: [.init(every: .seconds(30), span: .seconds(2 * Self.day))])
        while case .read = driver.complete(rows: 5000) {}
        driver.now = driver.now + .seconds(30)
        _ = driver.complete(rows: 5000)
        guard case .read(let first, .sweep) = driver.complete(rows: 5000) else { return #expect(Bool(false)) }
        guard case .read(let second, .sweep) = driver.next() else { return #expect(Bool(false)) }
        #expect(second.from == first.to && driver.next() == .read(second, .sweep(0)))
    }
}
