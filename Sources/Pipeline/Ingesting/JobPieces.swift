import EventModel
import Ports

/// Cuts a job's window into pieces, lane by lane. Pure.
///
/// A piece is read whole before its rows count, as every window is: a day bounds what a failure repeats.
struct JobPieces {
    static let span = WindowPlan.firstSpan

    private let pieces: [(window: Window, lane: String)]
    private var done = 0

    init(_ window: Window, lanes: [String]) {
        var pieces: [(Window, String)] = []
        var from = window.from
        while from < window.to {
            let to = min(window.to, from + Self.span)
            pieces += lanes.map { (Window(from: from, to: to), $0) }
            from = to
        }
        self.pieces = pieces
    }

    var next: (window: Window, lane: String)? { done < pieces.count ? pieces[done] : nil }
    var progress: Double { pieces.isEmpty ? 1 : Double(done) / Double(pieces.count) }

    mutating func finishedPiece() { done += 1 }
}
