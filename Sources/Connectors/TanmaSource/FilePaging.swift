/// Decides how a list of files goes on. Pure: no I/O, no clock.
///
/// Newest first; the next page is asked for with the smallest id so far. Whether that id comes back is unknown: what came
/// before is passed over.
///
///     page                                            next
///     empty, or nothing new on it                     the list is read
///     its smallest id is not below the one before     the list is read: ids that do not fall lead nowhere
///     shorter than asked for, and no total above      the list is read
///     anything else                                   the smallest id so far
struct FilePaging: Equatable {
    enum Step: Equatable {
        case next(lastID: Int64?)
        case end
    }

    private let pageSize: Int
    private var smallest: Int64?
    private var seen: Set<Int64> = []
    private var unnamed = 0
    private var total: Int64?

    init(pageSize: Int) {
        self.pageSize = pageSize
    }

    /// How many rows the vendor's total says are missing.
    var missing: Int { max(0, Int(clamping: total ?? 0) - seen.count - unnamed) }

    /// - Parameters:
    ///   - ids: of the page's rows in their order; nil for a row whose id cannot be read.
    ///   - isNew: for each row, whether it was not on an earlier page.
    mutating func received(_ ids: [Int64?], total: Int64?) -> (step: Step, isNew: [Bool]) {
        self.total = total ?? self.total
        let before = smallest
        let isNew = ids.map { id in id.map { seen.insert($0).inserted } ?? true }
        unnamed += ids.filter { $0 == nil }.count
        guard let least = ids.compactMap({ $0 }).min(), isNew.contains(true) else { return (.end, isNew) }
        if let before, least >= before { return (.end, isNew) }
        smallest = least
        let isShort = ids.count < pageSize
        return (isShort && missing == 0 ? .end : .next(lastID: least), isNew)
    }
}
