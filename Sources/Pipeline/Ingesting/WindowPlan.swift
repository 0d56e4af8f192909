import EventModel
import Ports

/// Decides which window a source reads next, and when. Pure: the clock is a parameter.
///
///     start ────────────── watermark − overlap ──── watermark ───────────── to = floor(vendor's now − lag) ─── now
///                          └────────────── the live window ───────────────┘
///
/// The watermark moves to a window's end only when the whole window is in the log. Far behind (a start years ago, a relay
/// that stood still) the live window is read at the edge and the gap before it is filled forward, in pieces:
///
///     start ──── watermark ──▶ pieces ──▶ ┆ edge.from ───── edge.to ── now
///                └────── the backfill ────┘ └── polled every ──┘
///
/// The watermark stays below the gap; when the pieces reach the edge it takes over the edge's end. The span of a piece grows
/// over quiet years and shrinks over busy days and after failures. Sweeps re-read a wider span in pieces. A live window that
/// is due goes before every piece. Nothing before `start` is ever read.
struct WindowPlan {
    struct Settings: Equatable, Sendable {
        var every: Duration
        var lag: Duration
        var overlap: Duration
        var sweeps: [Sweep]
    }

    struct Sweep: Equatable, Hashable, Sendable {
        var every: Duration
        /// Nil reads back to the start.
        var span: Duration?
    }

    /// What is stored with the source (promise L2), as JSON. Milliseconds since 1970.
    struct State: Codable, Equatable {
        var start: Int64
        var watermark: Int64
        /// What is read beyond a gap after the watermark; nil when there is no gap.
        var edge: Edge?
        /// The watermark before it moved further than polls would move it: where a clock that jumped is undone to.
        var lastGood: Int64?
        /// When each sweep was last finished, by its settings.
        var sweeps: [String: Int64] = [:]
        /// The sweep under way: a restart goes on with it.
        var sweeping: Sweeping?
    }

    struct Edge: Codable, Equatable {
        var from: Int64
        var to: Int64
    }

    struct Sweeping: Codable, Equatable {
        var key: String
        var at: Int64
        var until: Int64
    }

    enum Purpose: Equatable {
        case live
        case backfill
        case sweep(Int)

        var isSweep: Bool {
            if case .sweep = self { true } else { false }
        }
    }

    enum Step: Equatable {
        case read(Window, Purpose)
        case wait(Duration)
    }

    /// A whole span with fewer rows, read in a fraction of the time between polls, doubles the span of the next; one with more
    /// than `manyRows`, or that takes longer than two polls are apart, halves it: a crash in the middle of a window repeats
    /// a bounded number of rows, and the live edge does not wait long for a piece.
    static let fewRows = 1000
    static let manyRows = 10_000
    static let firstSpan: Duration = .seconds(86_400)
    /// Shorter readings than this never count as long, however often the source is polled.
    static let longReading: Duration = .seconds(20)
    static let spans: ClosedRange<Duration> = .seconds(600)...(.seconds(512 * 86_400))

    private(set) var state: State
    private let settings: Settings
    private var liveDue: Timestamp
    private var span = Self.firstSpan

    /// - Parameter now: a sweep that never ran counts from here.
    init(_ settings: Settings, state: State, now: Timestamp) {
        (self.settings, self.state) = (settings, state)
        liveDue = now
        for sweep in settings.sweeps where state.sweeps[Self.key(sweep)] == nil {
            self.state.sweeps[Self.key(sweep)] = now.milliseconds
        }
    }

    var watermark: Timestamp { Timestamp(milliseconds: state.watermark) }
    private var start: Timestamp { Timestamp(milliseconds: state.start) }

    /// The gap that is being filled: from the watermark to the edge.
    var gap: Window? {
        state.edge.map { Window(from: watermark, to: Timestamp(milliseconds: $0.from)) }
    }

    /// - Parameters:
    ///   - now: when the next poll is due is counted by this machine's clock.
    ///   - vendorNow: the end of a window by the vendor's, when it is known, or the earlier of both.
    mutating func next(now: Timestamp, vendorNow: Timestamp) -> Step {
        let to = (vendorNow - settings.lag).flooredToSecond
        // A wall clock that was set back must not put the next poll off.
        liveDue = min(liveDue, now + settings.every)
        undoJump(to)
        if liveDue <= now {
            if let window = liveWindow(to) { return .read(window, .live) }
            liveDue = now + settings.every
        }
        if let window = backfillWindow() { return .read(window, .backfill) }
        if let (window, place) = sweepWindow(now: now, to: to) { return .read(window, .sweep(place)) }
        return .wait(max(.milliseconds(1), liveDue - now))
    }

    /// Somebody asked: the live window is due.
    mutating func pollNow(_ now: Timestamp) {
        liveDue = min(liveDue, now)
    }

    /// The window was read whole.
    /// - Parameters:
    ///   - rows: how many it held.
    ///   - took: how long its reading took.
    ///   - certain: upstream time the vendor's own clock had passed, less the lag, when the window was begun.
    mutating func completed(
        _ window: Window, _ purpose: Purpose, rows: Int, took: Duration = .zero, certain: Timestamp?,
        now: Timestamp
    ) {
        adapt(window, rows: rows, took: took)
        let reached = min(window.to, certain?.flooredToSecond ?? window.to)
        switch purpose {
        case .live:
            if window.from <= watermark {
                moveWatermark(to: reached)
            } else if reached > window.from {
                let from = min(state.edge?.from ?? .max, window.from.milliseconds)
                state.edge = Edge(from: from, to: max(state.edge?.to ?? 0, reached.milliseconds))
            }
            liveDue = now + settings.every
        case .backfill:
            moveWatermark(to: reached)
        case .sweep(let place):
            completedSweep(window, place, now: now)
        }
        joinEdge()
    }

    /// The window could not be read whole: the next one is shorter, so that what ends long readings ends no reading for ever.
    mutating func failed(_ window: Window) {
        span = max(span / 2, Self.spans.lowerBound)
    }

    // MARK: - Live and backfill

    private mutating func adapt(_ window: Window, rows: Int, took: Duration) {
        // A window shorter than the span says nothing about how many rows a whole one holds.
        let isWhole = window.to - window.from >= span
        let long = max(settings.every * 2, Self.longReading)
        if isWhole, rows < Self.fewRows, took <= long / 4 {
            span = min(span * 2, Self.spans.upperBound)
        }
        if rows > Self.manyRows || took > long {
            span = max(span / 2, Self.spans.lowerBound)
        }
    }

    private mutating func moveWatermark(to reached: Timestamp) {
        if reached - watermark > settings.every * 2 + settings.overlap {
            state.lastGood = min(state.lastGood ?? .max, state.watermark)
        } else if state.edge == nil {
            state.lastGood = nil
        }
        state.watermark = max(state.watermark, reached.milliseconds)
    }

    private mutating func joinEdge() {
        guard let edge = state.edge, state.watermark >= edge.from else { return }
        state.watermark = max(state.watermark, edge.to)
        state.edge = nil
    }

    /// A clock that jumped ahead and came back leaves a watermark in the future: what was read meanwhile is read again, from
    /// before the jump.
    private mutating func undoJump(_ to: Timestamp) {
        let latest = (to + settings.overlap + settings.lag).milliseconds
        if let edge = state.edge, edge.to > latest { state.edge = nil }
        guard state.watermark > latest else { return }
        let good = min(Timestamp(milliseconds: state.lastGood ?? state.start), to - settings.overlap)
        state.watermark = max(state.start, good.milliseconds)
        state.lastGood = nil
    }

    private mutating func liveWindow(_ to: Timestamp) -> Window? {
        // An edge that fell far behind itself is forgotten: the gap reaches over it.
        if let edge = state.edge, to - Timestamp(milliseconds: edge.to) > span { state.edge = nil }
        let reached = Timestamp(milliseconds: state.edge?.to ?? state.watermark)
        let isFarBehind = state.edge == nil && to - watermark > span
        let from = isFarBehind ? to - max(settings.overlap, settings.every) : reached - settings.overlap
        let whole = max(start, from).flooredToSecond
        return to > whole ? Window(from: whole, to: to) : nil
    }

    private func backfillWindow() -> Window? {
        guard let gap else { return nil }
        let from = gap.from.flooredToSecond
        return Window(from: from, to: min(gap.to, from + span))
    }

    // MARK: - Sweeps

    private mutating func sweepWindow(now: Timestamp, to: Timestamp) -> (Window, Int)? {
        if state.sweeping.map({ place(of: $0) == nil }) ?? true {
            state.sweeping = dueSweep(now: now, to: to)
        }
        guard let sweeping = state.sweeping, let place = place(of: sweeping) else { return nil }
        let at = Timestamp(milliseconds: sweeping.at)
        // A clock that was set back meanwhile must not sweep what has not happened.
        let until = min(Timestamp(milliseconds: sweeping.until), to, at + span)
        guard until > at else {
            state.sweeping = nil
            return nil
        }
        return (Window(from: at, to: until), place)
    }

    private func dueSweep(now: Timestamp, to: Timestamp) -> Sweeping? {
        for sweep in settings.sweeps {
            let last = Timestamp(milliseconds: state.sweeps[Self.key(sweep)] ?? now.milliseconds)
            guard last + sweep.every <= now else { continue }
            let from = (sweep.span.map { max(start, to - $0) } ?? start).flooredToSecond
            if from < to {
                return Sweeping(key: Self.key(sweep), at: from.milliseconds, until: to.milliseconds)
            }
        }
        return nil
    }

    private mutating func completedSweep(_ window: Window, _ place: Int, now: Timestamp) {
        let key = Self.key(settings.sweeps[place])
        guard let current = state.sweeping, current.key == key else { return }
        if window.to.milliseconds >= current.until {
            state.sweeping = nil
            state.sweeps[key] = now.milliseconds
        } else {
            state.sweeping?.at = window.to.milliseconds
        }
    }

    /// Nil for a sweep that is not configured any more.
    private func place(of sweeping: Sweeping) -> Int? {
        settings.sweeps.firstIndex { Self.key($0) == sweeping.key }
    }

    private static func key(_ sweep: Sweep) -> String {
        "\(sweep.every.components.seconds)/\(sweep.span.map { String($0.components.seconds) } ?? "all")"
    }
}
