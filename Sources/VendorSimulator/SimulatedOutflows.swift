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

        var externalUserID: String { "wmSim_\(number)" }
    }

    private(set) var rows: [Row] = []
    private var random: SplitMix64
    private let start: Timestamp
    private let rate: Double
    private let limit: Int
    private let late: Double
    private let revise: Double
    private var happened = 0

    init(_ options: SimulatorOptions, start: Timestamp) {
        random = SplitMix64(seed: options.seed ^ 0x6F75_7466_6C6F_77)
        (self.start, rate, limit) = (start, options.rate, options.limit ?? .max)
        (late, revise) = (options.late, options.revise)
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
        rows.filter { $0.appears <= instant.milliseconds }
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
        rows.append(
            Row(
                number: rows.count, outflowAt: milliseconds / 1000, staff: staff, appears: appears,
                edited: edited))
    }
}
