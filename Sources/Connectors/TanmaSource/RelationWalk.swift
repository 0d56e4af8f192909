import EventModel
import Ports

/// Walks through a window of relations page by page. Pure: no I/O, no clock.
///
/// By cursor, as long as the vendor takes it. A cursor that is refused, because it aged while the account's other sources
/// had their turns, is no reason to begin the window again: it goes on from the second of the last row, without a cursor;
/// the rows of that second come twice and dedup absorbs them.
struct RelationWalk {
    struct Request: Equatable {
        var since: Timestamp
        var cursor: String?
    }

    enum Step: Equatable {
        case next(Request)
        case end
        case loop
    }

    private(set) var step: Step
    private let window: Window
    private let pageSize: Int
    private var paging: CursorPaging
    private var since: Timestamp
    private var lastSecond: Timestamp?

    init(_ window: Window, pageSize: Int) {
        (self.window, self.pageSize, since) = (window, pageSize, window.from)
        paging = CursorPaging(pageSize: pageSize)
        step = .next(Request(since: window.from, cursor: nil))
    }

    /// - Parameter lastSecond: when the page's last readable row was created.
    mutating func received(count: Int, lastSecond: Timestamp?, cursor: String?) {
        if let lastSecond, lastSecond >= since, lastSecond < window.to { self.lastSecond = lastSecond }
        switch paging.received(count: count, cursor: cursor) {
        case .next(let cursor): step = .next(Request(since: since, cursor: cursor))
        case .end: step = .end
        case .loop: step = .loop
        }
    }

    /// The vendor answered a request with a code.
    /// - Returns: false when there is no other way on.
    mutating func cursorRefused() -> Bool {
        guard case .next(let request) = step, request.cursor != nil, let lastSecond, lastSecond > since else {
            return false
        }
        since = lastSecond
        paging = CursorPaging(pageSize: pageSize)
        step = .next(Request(since: since, cursor: nil))
        return true
    }
}
