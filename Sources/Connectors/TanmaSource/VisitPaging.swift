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
///     … then short, still in that second            all of it, or the vendor's own limit: the cursor, inside that
///                                                   second; where it does not lead on, since = the next second
///     … then no more rows than before, or refused   the same, and when a cursor is there to promise more: an alarm
///     short, all of it in one second                cursor null, absent or unchanged: the window is read, or, when no
///                                                   page was larger, since = the next second; else the cursor
///     by cursor, and the cursor was used before     full page: a loop, an error; short page: the window is read
///     rows before the asked time                    a loop, an error
///
/// When rows turn up behind a page that the vendor's limit may have cut, that page's second may lack rows: an alarm.
/// A page without one readable time says nothing about seconds: only the cursor leads on from it.
struct VisitPaging: Equatable {
    struct Request: Equatable {
        var since: Timestamp
        var size: Int
        var cursor: String?
    }

    /// What a page looked like.
    struct Reply: Equatable {
        let count: Int
        /// The second of the page's last readable row; nil when none can be read.
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
    /// Rows of this second may be missing: the vendor gave no page large enough, and its cursor skips ties.
    private(set) var riskedSecond: Timestamp?
    private let pageSize: Int
    private let end: Timestamp
    private var lastReply: Reply?
    private var largestCount = 0
    private var usedCursors: Set<String> = []
    /// A second that was left although the vendor's limit may have cut it.
    private var doubtedSecond: Timestamp?

    init(_ window: Window, pageSize: Int) {
        self.pageSize = pageSize
        end = window.to
        request = Request(since: window.from, size: pageSize, cursor: nil)
    }

    mutating func received(_ reply: Reply) -> Step {
        defer {
            lastReply = reply
            largestCount = max(largestCount, reply.count)
        }
        guard reply.count > 0 else { return largerPageRefused() ?? .end }
        guard let second = reply.lastSecond else { return unreadable(reply.cursor) }
        guard second >= request.since else {
            return .loop("the vendor answers with rows before the asked time")
        }
        confirmDoubt(second)
        let isFull = reply.count >= request.size
        if second > request.since {
            return !isFull && endsWindow(reply.cursor) ? .end : go(since: second)
        }
        return request.cursor == nil
            ? insideOneSecond(reply, isFull: isFull) : insideByCursor(reply.cursor, isFull: isFull)
    }

    private mutating func insideOneSecond(_ reply: Reply, isFull: Bool) -> Step {
        if isFull, request.size < Self.maxPageSize { return goLarger() }
        if request.size > pageSize {
            return leave(cursor: reply.cursor, isRefused: isNoLarger(reply.count))
        }
        guard endsWindow(reply.cursor) else {
            if reply.count > 1 { doubtedSecond = request.since }
            return step(by: reply.cursor)
        }
        // As many rows as any page had: a vendor whose pages are smaller than asked for looks just like an end.
        guard lastReply != nil, reply.cursor != nil, reply.count >= largestCount else { return .end }
        if reply.count > 1 { doubtedSecond = request.since }
        return goToNextSecond()
    }

    /// Whether a page that was to be larger than the one before shows a limit. Another page of the window that held more
    /// rows shows that there is none; a single row shows nothing.
    private func isNoLarger(_ count: Int) -> Bool {
        guard let previous = lastReply?.count, count > 1 else { return false }
        return count < previous || (count == previous && count == largestCount)
    }

    /// The vendor refuses a page larger than usual, or gives none: what the page before it held has to do.
    /// - Returns: nil when no larger page was asked for.
    mutating func largerPageRefused() -> Step? {
        guard request.size > pageSize else { return nil }
        return leave(cursor: lastReply?.cursor, isRefused: true)
    }

    private mutating func leave(cursor: String?, isRefused: Bool) -> Step {
        doubtedSecond = request.since
        guard let cursor else { return goToNextSecond() }
        if isRefused { riskedSecond = request.since }
        return step(by: cursor)
    }

    private mutating func unreadable(_ cursor: String?) -> Step {
        guard let cursor, !usedCursors.contains(cursor) else { return .end }
        return step(by: cursor)
    }

    private mutating func insideByCursor(_ cursor: String?, isFull: Bool) -> Step {
        if let cursor, !usedCursors.contains(cursor) { return step(by: cursor) }
        if doubtedSecond != nil { return goToNextSecond() }
        return isFull && cursor != nil ? .loop("the vendor repeats a cursor on a full page") : .end
    }

    /// A vendor that grants any size would have given these rows with the doubted second's: it has a limit of its own.
    private mutating func confirmDoubt(_ second: Timestamp) {
        guard let doubted = doubtedSecond, second > doubted || request.cursor != nil else { return }
        riskedSecond = doubted
        if second > doubted { doubtedSecond = nil }
    }

    private func endsWindow(_ cursor: String?) -> Bool {
        cursor == nil || cursor == lastReply?.cursor
    }

    private mutating func goToNextSecond() -> Step {
        go(since: request.since + .seconds(1))
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
