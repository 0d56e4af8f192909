/// One reading of a window by offsets: where the next page begins, and whether what was seen is the whole list. Pure.
///
/// Rows come and go while pages are read and shift the offsets. So the distinct rows must be as many as the vendor says
/// there are, and that number must not have changed meanwhile; otherwise the window is read again.
struct OffsetReading: Equatable {
    enum Step: Equatable {
        case next(offset: Int)
        /// Everything was seen.
        case whole
        /// The list moved: read it again.
        case again(String)
    }

    private(set) var offset = 0
    private var total: Int64?
    private var seen: Set<String> = []

    /// - Parameters:
    ///   - identities: of the page's rows.
    ///   - total: what the reply says there is in all.
    mutating func received(_ identities: [String], total: Int64) -> Step {
        if let before = self.total, before != total { return .again("the total changed while it was read") }
        self.total = total
        let known = seen.count
        seen.formUnion(identities)
        offset += identities.count
        if Int64(offset) >= total {
            return Int64(seen.count) == total ? .whole : .again("rows moved while they were read")
        }
        // Without it a vendor that ignores the offset would be read on and on, up to whatever total it tells.
        if !identities.isEmpty, seen.count == known { return .again("a page brought no new row") }
        return identities.isEmpty ? .again("an empty page before the end") : .next(offset: offset)
    }
}
