package import EventModel

/// The world behind the visits endpoint: every visit there will ever be, made from a seed as time gets there.
///
/// Pure: the same plan gives the same rows, whenever and however often it is asked. Rows are made second by
/// second, all of a second at once, and kept in the vendor's order (second, customer id or 0); what has not
/// happened yet, or is late, is there already and not yet visible.
///
///     from … historic rows … start … rows at a rate … limit
package struct SimulatedVisits: Sendable {
    /// What a world is made of.
    package struct Plan: Sendable {
        package var seed: UInt64
        /// Where history ends and the rate begins.
        package var start: Timestamp
        /// This and the rest as in `SimulatorOptions`.
        package var rows: Int
        package var spread: Duration
        package var rate: Double
        package var limit: Int?
        package var late: Double
        package var revise: Double

        package init(
            seed: UInt64, start: Timestamp, rows: Int, spread: Duration = .seconds(3600), rate: Double = 0,
            limit: Int? = nil, late: Double = 0, revise: Double = 0
        ) {
            (self.seed, self.start, self.rows, self.spread) = (seed, start, rows, spread)
            (self.rate, self.limit, self.late, self.revise) = (rate, limit, late, revise)
        }
    }

    private(set) var records: [VisitRecord] = []
    private(set) var visitors: [Visitor] = []
    private(set) var contents: [Content]
    private var maker: VisitMaker
    /// The vendor's rows that have not come in yet, latest first.
    private var sample: [VisitRecord] = []

    /// - Parameter sample: rows that are in the world with the values they have, in any order.
    package init(_ plan: Plan, sample: [SimulatedVisit] = []) {
        var random = SplitMix64(seed: plan.seed)
        contents = VisitorCast.contents(24, using: &random)
        maker = VisitMaker(plan, contents: contents.count, random: random)
        self.sample = sample.compactMap { adopt($0) }.sorted { VisitRecord.precedes($1, $0) }
        advance(toSecond: plan.start.seconds)
    }

    /// Makes every row that happens up to this instant.
    package mutating func advance(to instant: Timestamp) {
        advance(toSecond: instant.seconds + 1)
    }

    /// Every row the endpoint would serve in full at this instant, in its order.
    package mutating func truth(at instant: Timestamp) -> [TrueVisit] {
        advance(to: instant)
        return records.lazy.filter { $0.isVisible(at: instant) }.map { record in
            TrueVisit(visit: visit(record, at: instant), isRevised: record.isRevised(at: instant))
        }
    }

    /// The first place whose row is at or after this second.
    func firstPlace(atOrAfter second: Int64) -> Int {
        firstPlace { $0.second >= second }
    }

    /// The first place whose row is strictly after the cursor, in the vendor's order.
    func firstPlace(after cursor: TanmaCursor) -> Int {
        firstPlace {
            ($0.second, 0, $0.tieBreaker) > (cursor.second, cursor.nanosecond, cursor.id)
        }
    }

    private func firstPlace(where isBeyond: (VisitRecord) -> Bool) -> Int {
        var (low, high) = (0, records.count)
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(records[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func advance(toSecond end: Int64) {
        while true {
            let next = min(maker.nextSecond ?? .max, sample.last?.second ?? .max)
            guard next < end else { return }
            let first = records.count
            while let row = sample.last, row.second == next {
                records.append(row)
                sample.removeLast()
            }
            while maker.nextSecond == next {
                records.append(maker.makeRow(&visitors))
            }
            // Stable, so that rows that tie stay in the order they happened.
            records[first...].sort(by: VisitRecord.precedes)
        }
    }

    /// Takes a row of the vendor's own into the world; nil if its time cannot be read.
    private mutating func adopt(_ row: SimulatedVisit) -> VisitRecord? {
        guard let time = Timestamp(chinaText: row.visitTime) else { return nil }
        visitors.append(
            Visitor(
                unionid: row.unionid, customerID: row.customerId, nickname: row.nickname, avatar: row.avatar,
                mobile: row.mobile, staff: row.qwUserId, createTime: row.createTime))
        contents.append(Content(type: row.contentType, id: row.contentId, title: row.contentTitle))
        return VisitRecord(
            second: time.seconds, tieBreaker: row.customerId ?? 0, visitor: Int32(visitors.count - 1),
            content: Int32(contents.count - 1), viewTimes: Int32(row.viewTimes),
            steps: row.shareChainSteps.map { Int32($0) }, sharer: nil,
            duration: row.viewDuration.map { Int32($0) }, visibleFrom: time.milliseconds,
            filledFrom: time.milliseconds)
    }
}

extension SimulatedVisits {
    /// The row as values.
    func visit(_ record: VisitRecord, at instant: Timestamp) -> SimulatedVisit {
        let visitor = visitors[Int(record.visitor)]
        let content = contents[Int(record.content)]
        return SimulatedVisit(
            unionid: visitor.unionid, customerId: visitor.customerID, nickname: visitor.nickname,
            avatar: visitor.avatar, mobile: visitor.mobile, contentType: content.type, contentId: content.id,
            contentTitle: content.title, visitTime: Timestamp(seconds: record.second).chinaText,
            viewDuration: record.duration(at: instant).map { Int64($0) }, viewTimes: Int64(record.viewTimes),
            qwUserId: visitor.staff, createTime: visitor.createTime,
            shareFrom: .init(
                type: record.sharer == nil ? 1 : 2,
                prevVisitorUnionId: record.sharer.flatMap { visitors[Int($0)].unionid },
                qwUserId: visitor.staff),
            shareChainSteps: record.steps.map { Int64($0) })
    }

    /// The row as JSON, mostly copied: its visitor and its content have their parts ready, since rows are
    /// read often.
    /// - Parameter time: the text of its second, which neighbours share.
    func encode(_ record: VisitRecord, time: [UInt8], at instant: Timestamp, into page: inout [UInt8]) {
        let visitor = visitors[Int(record.visitor)]
        page += visitor.head
        page += contents[Int(record.content)].middle
        page += Self.visitTime
        page += time
        page += Self.viewDuration
        Self.append(record.duration(at: instant), to: &page)
        page += Self.viewTimes
        Self.append(record.viewTimes, to: &page)
        page += visitor.tail
        page.append(UInt8(ascii: record.sharer == nil ? "1" : "2"))
        page += Self.sharer
        page += record.sharer.map { visitors[Int($0)].encodedUnionid } ?? Self.null
        page += Self.sharingStaff
        page += visitor.encodedStaff
        page += Self.steps
        Self.append(record.steps, to: &page)
        page += Self.end
    }

    private static let null = bytes("null")
    private static let visitTime = bytes(#","visitTime":""#)
    private static let viewDuration = bytes(#"","viewDuration":"#)
    private static let viewTimes = bytes(#","viewTimes":"#)
    private static let sharer = bytes(#","prevVisitorUnionId":"#)
    private static let sharingStaff = bytes(#","qwUserId":"#)
    private static let steps = bytes(#"},"shareChainSteps":"#)
    private static let end = bytes(#","shareTo":[]}"#)

    private static func append(_ number: Int32?, to page: inout [UInt8]) {
        guard let number else { return page += null }
        page.append(contentsOf: String(number).utf8)
    }
}
