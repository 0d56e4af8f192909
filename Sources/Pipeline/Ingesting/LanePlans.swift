import EventModel
import Ports

/// The window plans of a source's lanes, side by side: each with a watermark of its own, taking turns. Pure.
struct LanePlans {
    enum Step: Equatable {
        case read(Window, lane: String, WindowPlan.Purpose)
        case wait(Duration)
    }

    /// What is stored with the source (promise L2).
    struct State: Codable, Equatable {
        var lanes: [String: WindowPlan.State]
    }

    private var plans: [(lane: String, plan: WindowPlan)]
    private var turn = 0

    /// - Parameters:
    ///   - state: a lane it does not know begins at `start`.
    ///   - now: a sweep that never ran counts from here.
    init(lanes: [String], _ settings: WindowPlan.Settings, state: State?, start: Timestamp, now: Timestamp) {
        let beginning = WindowPlan.State(start: start.milliseconds, watermark: start.milliseconds)
        plans = lanes.map { lane in
            (lane, WindowPlan(settings, state: state?.lanes[lane] ?? beginning, now: now))
        }
    }

    var state: State {
        State(lanes: Dictionary(uniqueKeysWithValues: plans.map { ($0.lane, $0.plan.state) }))
    }

    /// Everything before it is in the log, in every lane.
    var watermark: Timestamp? {
        plans.map(\.plan.watermark).min()
    }

    mutating func next(now: Timestamp, vendorNow: Timestamp) -> Step {
        var shortest: Duration?
        for offset in plans.indices {
            let place = (turn + offset) % plans.count
            switch plans[place].plan.next(now: now, vendorNow: vendorNow) {
            case .read(let window, let purpose):
                turn = place + 1
                return .read(window, lane: plans[place].lane, purpose)
            case .wait(let duration):
                shortest = min(shortest ?? duration, duration)
            }
        }
        return .wait(shortest ?? .seconds(1))
    }

    mutating func completed(
        _ window: Window, lane: String, _ purpose: WindowPlan.Purpose, rows: Int, took: Duration = .zero,
        certain: Timestamp?, now: Timestamp
    ) {
        guard let place = plans.firstIndex(where: { $0.lane == lane }) else { return }
        plans[place].plan.completed(
            window, purpose, rows: rows, took: took, certain: certain, now: now)
    }

    /// Somebody asked: every lane is due.
    mutating func pollNow(_ now: Timestamp) {
        for place in plans.indices { plans[place].plan.pollNow(now) }
    }

    mutating func failed(_ window: Window, lane: String) {
        guard let place = plans.firstIndex(where: { $0.lane == lane }) else { return }
        plans[place].plan.failed(window)
    }

    /// The gap of a lane that is being filled; nil when there is none.
    func gap(of lane: String) -> Window? {
        plans.first { $0.lane == lane }?.plan.gap
    }
}
