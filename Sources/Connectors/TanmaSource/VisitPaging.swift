import EventModel
import Ports

/// Decides which page of a window of visits to ask for next. Pure: no I/O, no clock.
///
/// The vendor's cursor is (second, 0, customer id or nothing), so rows that tie in a second can be skipped at a page edge
/// and pages of anonymous rows can repeat a cursor. So a window is walked by `since`, and the cursor only steps inside
/// one second when nothing else does:
///
///     page                                          next
///     empty                                         the window is read
///     reaches a later second than it began in       since = that second, no cursor; but when the page is short and its
///                                                   cursor null, absent or unchanged: the window is read
///     full, all of it in one second                 the same since, a page twice as large
///     … then short, with more rows than before      that second is read: since = the next second
///     … then short, with no more rows than before   the vendor does not grant it: the cursor, inside that second; alarm
///     short, all of it in one second                cursor null, absent or unchanged: the window is read; else the cursor
///     by cursor, and the cursor was used before     full page: a loop, an error; short page: the window is read
struct VisitPaging: Equatable {
    struct Request: Equatable {
        var since: Timestamp
        var size: Int
        var cursor: String?
    }

    /// What a page looked like.
    struct Reply: Equatable {
        let count: Int
        /// The latest second any readable row of the page lies in.
        let lastSecond: Timestamp?
        let cursor: String?
    }

    enum Step: Equatable {
        case next(Request)
        case end
        case loop(String)
    }

    /// Larger pages are not asked for, however many rows one second has.
    static let maxPageSize = 20_000

    private(set) var request: Request
    /// Rows of this second may have been skipped, because only the cursor led on inside it.
    private(set) var riskedSecond: Timestamp?
    private let pageSize: Int
    private let end: Timestamp
    private var lastReply: Reply?
    private var usedCursors: Set<String> = []

    init(_ window: Window, pageSize: Int) {
        self.pageSize = pageSize
        end = window.to
        request = Request(since: window.from, size: pageSize, cursor: nil)
    }

    mutating func received(_ reply: Reply) -> Step {
        defer { lastReply = reply }
        guard reply.count > 0 else { return .end }
        let isFull = reply.count >= request.size
        if let second = reply.lastSecond, second > request.since {
            return !isFull && endsWindow(reply.cursor) ? .end : go(since: second)
        }
        if request.cursor != nil { return insideByCursor(reply.cursor, isFull: isFull) }
        return insideOneSecond(reply, isFull: isFull)
    }

    private mutating func insideOneSecond(_ reply: Reply, isFull: Bool) -> Step {
        if isFull, request.size < Self.maxPageSize { return goLarger() }
        if request.size == pageSize { return endsWindow(reply.cursor) ? .end : step(by: reply.cursor) }
        if !isFull, reply.count > lastReply?.count ?? 0 { return go(since: request.since + .seconds(1)) }
        riskedSecond = request.since
        return reply.cursor == nil ? go(since: request.since + .seconds(1)) : step(by: reply.cursor)
    }

    private mutating func insideByCursor(_ cursor: String?, isFull: Bool) -> Step {
        guard let cursor, usedCursors.contains(cursor) else { return step(by: cursor) }
        return isFull ? .loop("the vendor repeats a cursor on a full page") : .end
    }

    private func endsWindow(_ cursor: String?) -> Bool {
        cursor == nil || cursor == lastReply?.cursor
    }

    private mutating func go(since: Timestamp) -> Step {
        guard since < end else { return .end }
        usedCursors = []
        return ask(Request(since: since, size: pageSize, cursor: nil))
    }

    private mutating func goLarger() -> Step {
        ask(Request(since: request.since, size: min(request.size * 2, Self.maxPageSize), cursor: nil))
    }

    private mutating func step(by cursor: String?) -> Step {
        guard let cursor else { return .end }
        usedCursors.insert(cursor)
        return ask(Request(since: request.since, size: pageSize, cursor: cursor))
    }

    private mutating func ask(_ next: Request) -> Step {
        request = next
        return .next(next)
    }
}
