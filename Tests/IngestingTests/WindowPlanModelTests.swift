import EventModel
import Ports
import TestSupport
import Testing

@testable import Ingesting

/// Any order of completions, failures, restarts and odd clocks: what the watermark passes was read. A failure
/// names its seed.
struct WindowPlanModelTests {
    @Test(arguments: UInt64(1)...200)
    func everyInstantBelowTheWatermarkWasRead(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let start = Int64.random(in: 0...100_000, using: &random)
        var now = Timestamp(seconds: start + .random(in: 0...40_000_000, using: &random))
        let settings = WindowPlan.Settings(
            every: .seconds(30), lag: .seconds(.random(in: 0...20, using: &random)),
            overlap: .seconds(.random(in: 0...900, using: &random)),
            sweeps: [
                .init(every: .seconds(3600), span: .seconds(7200)), .init(every: .seconds(86_400), span: nil),
            ])
        let state = WindowPlan.State(start: start * 1000, watermark: start * 1000)
        var plan = WindowPlan(settings, state: state, now: now)
        var windows: [Window] = []
        /// Everything from the start to here was in completed windows.
        var read = Timestamp(seconds: start)
        let offset: Duration = .seconds(.random(in: -900...900, using: &random))
        for _ in 0..<400 {
            let vendorNow = Bool.random(using: &random) ? now : min(now, now + offset)
            switch plan.next(now: now, vendorNow: vendorNow) {
            case .wait(let wait):
                #expect(wait > .zero && wait <= .seconds(30), "seed \(seed)")
                now = now + wait
            case .read(let window, let purpose):
                #expect(window.from < window.to && window.from >= Timestamp(seconds: start), "seed \(seed)")
                if purpose == .live { #expect(window.to <= vendorNow - settings.lag, "seed \(seed)") }
                now = now + .seconds(.random(in: 0...40, using: &random))
                if Int.random(in: 0..<4, using: &random) == 0 { continue }
                let certain = Bool.random(using: &random) ? vendorNow + offset - settings.lag : nil
                plan.completed(
                    window, purpose, rows: .random(in: 0...20_000, using: &random), certain: certain, now: now
                )
                windows.append(Window(from: window.from, to: min(window.to, certain ?? window.to)))
                windows.sort { $0.from < $1.from }
                for window in windows where window.from <= read { read = max(read, window.to) }
                windows.removeAll { $0.to <= read }
            }
            #expect(plan.watermark <= read, "seed \(seed)")
            if Int.random(in: 0..<30, using: &random) == 0 {
                plan = WindowPlan(settings, state: plan.state, now: now)
            }
        }
    }

    @Test func aSourceCatchesUpAndThenSweeps() {
        var driver = PlanDriver(
            start: 0, now: 40_000_000, sweeps: [.init(every: .seconds(3600), span: .seconds(7200))])
        var sweeps = 0
        for _ in 0..<1000 {
            switch driver.complete(rows: 3000) {
            case .wait(let wait): driver.now = driver.now + wait
            case .read(_, .sweep): sweeps += 1
            case .read: break
            }
        }
        #expect(driver.plan.watermark > Timestamp(seconds: 40_000_000))
        #expect(sweeps > 0)
    }
}
