import EventModel
import Ports

/// Decides which windows of relations are read to find out who there is. Pure: the clock is a parameter.
///
/// Forward from `since` in pieces, each type of relation for itself, until a while after the pass began: from then on the
/// account's relations source brings every new customer, and rows that come late are found by the overlap.
struct CustomerDiscovery {
    /// What is stored with the source (promise L2). Milliseconds since 1970.
    struct State: Codable, Equatable {
        var since: Int64
        var until: Int64
        /// How far each lane has come.
        var marks: [String: Int64]
    }

    /// How long the pass goes on after its begin, how far it reads back for late rows, and how often it looks meanwhile.
    static let tail: Duration = .seconds(600)
    static let overlap: Duration = .seconds(600)
    static let every: Duration = .seconds(60)
    static let lag: Duration = .seconds(10)

    private(set) var state: State
    private var span = WindowPlan.firstSpan

    /// - Parameter since: an earlier one than the stored one begins the pass again.
    init(lanes: [String], since: Timestamp, state: State?, now: Timestamp) {
        let fresh = State(
            since: since.milliseconds, until: (now + Self.tail).milliseconds,
            marks: Dictionary(uniqueKeysWithValues: lanes.map { ($0, since.milliseconds) }))
        guard let state, state.since <= since.milliseconds, Set(state.marks.keys) == Set(lanes) else {
            self.state = fresh
            return
        }
        self.state = state
    }

    /// The next window; nil when there is nothing to read by now.
    func next(now: Timestamp) -> (window: Window, lane: String)? {
        let end = min((now - Self.lag).milliseconds, state.until)
        let due = end == state.until ? 0 : Int64(Self.every / .milliseconds(1))
        for (lane, mark) in state.marks.sorted(by: { $0.key < $1.key })
        where mark < state.until && end - mark >= max(1, due) {
            let from = max(state.since, mark - Int64(Self.overlap / .milliseconds(1)))
            let to = min(Timestamp(milliseconds: end), Timestamp(milliseconds: mark) + span).flooredToSecond
            let window = Window(from: Timestamp(milliseconds: from).flooredToSecond, to: to)
            if window.to > window.from, to.milliseconds > mark { return (window, lane) }
        }
        return nil
    }

    mutating func completed(_ window: Window, lane: String, rows: Int) {
        if rows < WindowPlan.fewRows { span = min(span * 2, WindowPlan.spans.upperBound) }
        if rows > WindowPlan.manyRows { span = max(span / 2, WindowPlan.spans.lowerBound) }
        state.marks[lane] = max(state.marks[lane] ?? 0, window.to.milliseconds)
    }

    /// The window could not be read whole: the next one is shorter.
    mutating func failed() {
        span = max(span / 2, WindowPlan.spans.lowerBound)
    }

    /// How far the lanes have come, between `since` and now.
    func progress(now: Timestamp) -> (done: Double, all: Double) {
        let done = state.marks.values.reduce(0.0) { $0 + Double($1 - state.since) }
        return (done, Double(now.milliseconds - state.since) * Double(state.marks.count))
    }
}
