import EventModel

/// A followed customer as the endpoint serves it at some instant.
package struct TrueRelation: Sendable, Equatable {
    package let customerID: Int64
    package let staff: String
    /// The vendor's code: 1 or 2.
    package let type: Int64
    package let createTime: String
    package let lastUpdateTime: String
    package let remark: String
    package let externalUserID: String?
    /// Whether it was edited after its creation.
    package let isEdited: Bool

    /// The fields that tell one relation from another, in the vendor page's order, joined by newlines.
    package var identity: String { "\(customerID)\n\(staff)\n\(createTime)" }
}

/// The made-up world of relations. Pure: the same seed and start give the same rows.
///
/// Rows are created at instants finer than the second they show, some of them several to a second; some are edited
/// later: their `lastUpdateTime` and remark change, their place in the list does not.
struct SimulatedRelations {
    struct Row {
        let customerID: Int64
        let staff: String
        let type: Int64
        let nanoseconds: Int64
        /// When it is edited; nil for never.
        let edited: Int64?
        /// When the customer is removed, to be added again as a new relation; nil for never.
        let leaves: Int64?

        var second: Int64 { nanoseconds / 1_000_000_000 }
    }

    /// By creation.
    private(set) var rows: [Row] = []
    private var random: SplitMix64
    /// Of its own, so that customers who come back leave the rest of the world as it is.
    private var comings: SplitMix64
    private var returning: [Row] = []
    private let comeBack: Double
    private let start: Int64
    private let rate: Double
    private let limit: Int
    private let revise: Double
    private var happened = 0

    init(
        seed: UInt64, start: Timestamp, rows: Int, spread: Duration, rate: Double, limit: Int?,
        revise: Double,
        comeBack: Double = 0
    ) {
        random = SplitMix64(seed: seed ^ 0x72_656C_6174_696F)
        comings = SplitMix64(seed: seed ^ 0x63_6F6D_6562_6163)
        self.comeBack = comeBack
        self.start = start.milliseconds * 1_000_000
        (self.rate, self.revise, self.limit) = (rate, revise, limit ?? .max)
        let reach = Double(spread.wholeMilliseconds) * 1_000_000
        let instants = (0..<rows).map { _ in self.start - Int64(random.unit() * reach) }.sorted()
        for instant in instants { self.rows.append(row(at: instant)) }
    }

    /// Lets happen what happens until `instant`.
    mutating func advance(to instant: Timestamp) {
        let now = instant.milliseconds * 1_000_000
        while rate > 0, happened < limit {
            let next = start + Int64(Double(happened + 1) / rate * 1e9)
            guard next <= now else { break }
            happened += 1
            letReturn(until: next)
            rows.append(row(at: next))
        }
        letReturn(until: now)
    }

    private mutating func letReturn(until instant: Int64) {
        while let next = returning.first, next.nanoseconds <= instant {
            rows.append(next)
            returning.removeFirst()
        }
    }

    /// Whether the list has the row at this instant.
    func isListed(_ row: Row, at instant: Timestamp) -> Bool {
        row.leaves.map { $0 > instant.milliseconds * 1_000_000 } ?? true
    }

    func shown(_ row: Row, at instant: Timestamp) -> TrueRelation {
        let edited = row.edited.flatMap { $0 <= instant.milliseconds * 1_000_000 ? $0 : nil }
        let created = Timestamp(seconds: row.second).chinaText
        return TrueRelation(
            customerID: row.customerID, staff: row.staff, type: row.type, createTime: created,
            lastUpdateTime: edited.map { Timestamp(seconds: $0 / 1_000_000_000).chinaText } ?? created,
            remark: edited == nil ? "客户\(row.customerID % 1000)" : "老客户🐶\(row.customerID % 1000)",
            externalUserID: row.externalUserID, isEdited: edited != nil)
    }

    private mutating func row(at instant: Int64) -> Row {
        let staff = ["dowen", "mia", "LiuFuLai"][random.below(3)]
        let type: Int64 = random.chance(0.3) ? 2 : 1
        let edited = random.chance(revise) ? instant + Int64((1 + random.unit() * 5) * 1e9) : nil
        // The vendor's ids carry their time; ours only have to be distinct.
        let customer = 400_000_000_000_000 + Int64(rows.count) * 2048 + Int64(random.below(2048))
        var leaves: Int64?
        if comeBack > 0, comings.chance(comeBack) {
            let left = max(instant, start) + Int64((3 + comings.unit() * 5) * 1e9)
            leaves = left
            returning.append(
                Row(
                    customerID: customer, staff: staff, type: type,
                    nanoseconds: (left + 2_000_000_000) / 1000 * 1000, edited: nil, leaves: nil))
            returning.sort { $0.nanoseconds < $1.nanoseconds }
        }
        return Row(
            customerID: customer, staff: staff, type: type, nanoseconds: instant / 1000 * 1000,
            edited: edited, leaves: leaves)
    }
}
