import EventModel
import Ports

/// Decides which window a source reads next, and when. Pure: the clock is a parameter.
///
///     start ────────────── watermark − overlap ──── watermark ───────────── to = floor(vendor's now − lag) ─── now
///                          └────────────── the live window ───────────────┘
///
/// The watermark moves to a window's end only when the whole window is in the log. Far behind, windows are cut and follow
/// each other without overlap; their span grows over quiet years and shrinks over busy days. Sweeps re-read a wider span in pieces, and a live window that is due
/// always goes before the next piece. Nothing before `start` is ever read.
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
        /// The watermark before it last moved further than a poll would move it: where a clock that jumped is undone to.
        var lastGood: Int64?
        /// When each sweep was last finished, by its settings.
        var sweeps: [String: Int64] = [:]
    }

    enum Purpose: Equatable {
        case live
        case sweep(Int)
    }

    enum Step: Equatable {
        case read(Window, Purpose)
        case wait(Duration)
    }

    /// A whole span with fewer rows doubles the span of the next, one with more than `manyRows` halves it: a crash in the
    /// middle of a window repeats a bounded number of rows, not of days.
    static let fewRows = 1000
    static let manyRows = 10_000
    static let firstSpan: Duration = .seconds(86_400)
    static let spans: ClosedRange<Duration> = .seconds(600)...(.seconds(512 * 86_400))

    private(set) var state: State
    private let settings: Settings
    private var liveDue: Timestamp
    private var isCatchingUp = false
    /// Whether the latest live window was cut before the vendor's now.
    private var isCut = false
    private var span = Self.firstSpan
    /// The sweep under way and how far it has come.
    private var sweeping: (place: Int, at: Timestamp, until: Timestamp)?

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

    /// - Parameters:
    ///   - now: when the next poll is due is counted by this machine's clock.
    ///   - vendorNow: the end of a window by the vendor's, when it is known, or the earlier of both.
    mutating func next(now: Timestamp, vendorNow: Timestamp) -> Step {
        let to = (vendorNow - settings.lag).flooredToSecond
        // A wall clock that was set back must not put the next poll off.
        liveDue = min(liveDue, now + settings.every)
        undoJump(to)
        if liveDue <= now || isCatchingUp {
            if let window = liveWindow(to) { return .read(window, .live) }
            isCatchingUp = false
            liveDue = now + settings.every
        }
        if let (window, place) = sweepWindow(now: now, to: to) { return .read(window, .sweep(place)) }
        return .wait(max(.milliseconds(1), liveDue - now))
    }

    /// The window was read whole.
    /// - Parameters:
    ///   - rows: how many it held.
    ///   - certain: upstream time the vendor's own clock had passed, less the lag, when the window was begun.
    mutating func completed(
        _ window: Window, _ purpose: Purpose, rows: Int, certain: Timestamp?, now: Timestamp
    ) {
        // A window shorter than the span says nothing about how many rows a whole one holds.
        if rows < Self.fewRows, window.to - window.from >= span {
            span = min(span * 2, Self.spans.upperBound)
        }
        if rows > Self.manyRows { span = max(span / 2, Self.spans.lowerBound) }
        switch purpose {
        case .live:
            let reached = min(window.to, certain?.flooredToSecond ?? window.to)
            if reached - watermark > settings.every * 2 + settings.overlap {
                state.lastGood = state.watermark
            }
            state.watermark = max(state.watermark, reached.milliseconds)
            isCatchingUp = isCut && reached == window.to
            if !isCatchingUp { liveDue = now + settings.every }
        case .sweep(let place):
            guard let current = sweeping, current.place == place else { return }
            if window.to >= current.until {
                sweeping = nil
                state.sweeps[Self.key(settings.sweeps[place])] = now.milliseconds
            } else {
                sweeping = (place, window.to, current.until)
            }
        }
    }

    /// A clock that jumped ahead and came back leaves a watermark in the future: what was read meanwhile is read again, from
    /// before the jump.
    private mutating func undoJump(_ to: Timestamp) {
        guard watermark > to + settings.overlap + settings.lag else { return }
        let good = min(Timestamp(milliseconds: state.lastGood ?? state.start), to - settings.overlap)
        state.watermark = max(state.start, good.milliseconds)
        state.lastGood = nil
    }

    private mutating func liveWindow(_ to: Timestamp) -> Window? {
        let from = isCatchingUp ? watermark : max(start, watermark - settings.overlap)
        let whole = from.flooredToSecond
        guard to > whole else { return nil }
        let end = min(to, max(whole, watermark.flooredToSecond) + span)
        isCut = end < to
        return Window(from: whole, to: end)
    }

    private mutating func sweepWindow(now: Timestamp, to: Timestamp) -> (Window, Int)? {
        if sweeping == nil { sweeping = dueSweep(now: now, to: to) }
        guard let current = sweeping else { return nil }
        let until = min(current.until, current.at + span)
        guard until > current.at else {
            sweeping = nil
            return nil
        }
        return (Window(from: current.at, to: until), current.place)
    }

    private func dueSweep(now: Timestamp, to: Timestamp) -> (place: Int, at: Timestamp, until: Timestamp)? {
        for (place, sweep) in settings.sweeps.enumerated() {
            let last = Timestamp(milliseconds: state.sweeps[Self.key(sweep)] ?? now.milliseconds)
            guard last + sweep.every <= now else { continue }
            let from = sweep.span.map { max(start, to - $0) } ?? start
            if from.flooredToSecond < to { return (place, from.flooredToSecond, to) }
        }
        return nil
    }

    private static func key(_ sweep: Sweep) -> String {
        "\(sweep.every.components.seconds)/\(sweep.span.map { String($0.components.seconds) } ?? "all")"
    }
}
