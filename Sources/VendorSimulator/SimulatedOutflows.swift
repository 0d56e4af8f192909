import EventModel

/// A churned customer as the endpoint serves it at some instant.
package struct TrueOutflow: Sendable, Equatable {
    package let externalUserID: String
    package let staff: String
    /// Epoch seconds.
    package let outflowAt: Int64
    package let remark: String
    package let isEdited: Bool

    /// The fields that tell one loss from another, in the vendor page's order, joined by newlines.
    package var identity: String { "\(staff)\n\(externalUserID)\n\(outflowAt)" }
}

/// The made-up world of churned customers. Pure: the same seed and start give the same rows.
///
/// Some rows are listed later than the loss, some are edited after they appeared, and in no order a reader could rely on.
struct SimulatedOutflows {
    struct Row {
        let number: Int
        let outflowAt: Int64
        let staff: String
        /// Milliseconds; when it is listed, and when it is edited (nil for never).
        let appears: Int64
        let edited: Int64?
        /// When the customer is back and the row leaves the list, for a later loss; nil for never.
        let leaves: Int64?

        var externalUserID: String { "wmSim_\(number)" }
    }

    private(set) var rows: [Row] = []
    private var random: SplitMix64
    private let start: Timestamp
    private let rate: Double
    private let limit: Int
    private let late: Double
    private let revise: Double
    private let comeBack: Double
    /// Of its own, so that customers who come back leave the rest of the world as it is.
    private var comings: SplitMix64
    private var happened = 0

    init(_ options: SimulatorOptions, start: Timestamp) {
        random = SplitMix64(seed: options.seed ^ 0x6F75_7466_6C6F_77)
        (self.start, rate, limit) = (start, options.rate, options.limit ?? .max)
        (late, revise, comeBack) = (options.late, options.revise, options.comeBack)
        comings = SplitMix64(seed: options.seed ^ 0x63_6F6D_6562_6163)
        let reach = Double(options.spread.wholeMilliseconds)
        for _ in 0..<options.rows { add(at: start.milliseconds - Int64(random.unit() * reach)) }
    }

    mutating func advance(to instant: Timestamp) {
        while rate > 0, happened < limit {
            let next = start.milliseconds + Int64(Double(happened + 1) / rate * 1000)
            guard next <= instant.milliseconds else { return }
            happened += 1
            add(at: next)
        }
    }

    func listed(at instant: Timestamp) -> [Row] {
        let now = instant.milliseconds
        return rows.filter { $0.appears <= now && $0.leaves.map { $0 > now } ?? true }
    }

    func shown(_ row: Row, at instant: Timestamp) -> TrueOutflow {
        let isEdited = row.edited.map { $0 <= instant.milliseconds } ?? false
        return TrueOutflow(
            externalUserID: row.externalUserID, staff: row.staff, outflowAt: row.outflowAt,
            remark: isEdited ? "流失客户🐶" : "子川", isEdited: isEdited)
    }

    private mutating func add(at milliseconds: Int64) {
        let staff = ["mia", "dowen"][random.below(2)]
        let appears = milliseconds + (random.chance(late) ? Int64(random.unit() * 3000) : 0)
        let edited = random.chance(revise) ? appears + 1000 + Int64(random.unit() * 4000) : nil
        let number = rows.count
        var leaves: Int64?
        if comeBack > 0, comings.chance(comeBack) {
            leaves = max(appears, start.milliseconds) + 3000 + Int64(comings.unit() * 5000)
        }
        rows.append(
            Row(
                number: number, outflowAt: milliseconds / 1000, staff: staff, appears: appears,
                edited: edited, leaves: leaves))
        guard let leaves else { return }
        rows.append(
            Row(
                number: number, outflowAt: leaves / 1000 + 2, staff: staff, appears: leaves + 3000,
                edited: nil,
                leaves: nil))
    }
}
