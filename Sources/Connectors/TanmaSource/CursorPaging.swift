/// Decides how a list whose cursor tells every row apart goes on. Pure: no I/O, no clock.
///
///     page                                                    next
///     empty, or cursor null or absent                         the window is read
///     cursor unchanged, page shorter than asked for           the window is read
///     cursor unchanged on a full page, or any earlier one     a loop, an error
///     anything else                                           the cursor, as it came
struct CursorPaging: Equatable {
    enum Step: Equatable {
        case next(String?)
        case end
        case loop
    }

    private let pageSize: Int
    private var latest: String?
    private var used: Set<String> = []

    init(pageSize: Int) {
        self.pageSize = pageSize
    }

    mutating func received(count: Int, cursor: String?) -> Step {
        guard count > 0, let cursor else { return .end }
        if cursor == latest, count < pageSize { return .end }
        guard used.insert(cursor).inserted else { return .loop }
        latest = cursor
        return .next(cursor)
    }
}
