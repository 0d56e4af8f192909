import EventModel

/// A follow record as the endpoint serves it at some instant.
package struct TrueFollowRecord: Sendable, Equatable {
    package let id: Int64
    package let externalUserID: String
    package let staff: String
    package let content: String
    /// The vendor's code: 1 by a person, 2 by the system.
    package let type: Int64
    package let createTime: String
    package let isEdited: Bool
}

/// A customer's file as the endpoint serves it at some instant.
package struct TrueCustomerFile: Sendable, Equatable {
    package let id: Int64
    package let customerID: Int64
    package let staff: String
    package let name: String
    package let createTime: String
    /// Filled in later on some.
    package let note: String?
}

/// The made-up rows of single customers: follow records and files alike. Pure: the same seed, start and relations give the
/// same rows.
///
/// Each belongs to a relation that exists when it is made. Ids grow over all customers. Some rows are edited a few seconds
/// later; some disappear, and some of these come back.
struct SimulatedCustomerRows {
    struct Row {
        let id: Int64
        let relation: SimulatedRelations.Row
        let created: Int64
        /// Milliseconds; nil for never.
        let edited, deleted, returned: Int64?
        let isWritten: Bool

        func isListed(at instant: Timestamp) -> Bool {
            let now = instant.milliseconds
            guard created <= now else { return false }
            guard let deleted, deleted <= now else { return true }
            return returned.map { $0 <= now } ?? false
        }

        func isEdited(at instant: Timestamp) -> Bool {
            edited.map { $0 <= instant.milliseconds } ?? false
        }
    }

    private(set) var rows: [Row] = []
    private let options: SimulatorOptions
    private let start: Timestamp
    private var random: SplitMix64
    private var happened = 0
    private var hasHistory = false

    /// - Parameter salt: tells one kind of rows from another under the same seed.
    init(_ options: SimulatorOptions, start: Timestamp, salt: UInt64) {
        (self.options, self.start) = (options, start)
        random = SplitMix64(seed: options.seed ^ salt)
    }

    /// Lets happen what happens until `instant`.
    /// - Parameter relations: every relation that was made until then, by creation.
    mutating func advance(to instant: Timestamp, relations: [SimulatedRelations.Row]) {
        if !hasHistory { makeHistory(relations) }
        while options.rate > 0, happened < options.limit ?? .max {
            let next = start.milliseconds + Int64(Double(happened + 1) / options.rate * 1000)
            guard next <= instant.milliseconds else { return }
            happened += 1
            add(at: next, relations.prefix { $0.nanoseconds / 1_000_000 <= next })
        }
    }

    /// As many rows as there are historic ones of other kinds, after the oldest relation was made.
    private mutating func makeHistory(_ relations: [SimulatedRelations.Row]) {
        hasHistory = true
        let historic = relations.prefix { $0.nanoseconds / 1_000_000 <= start.milliseconds }
        guard let oldest = historic.first else { return }
        let reach = Double(start.milliseconds - oldest.nanoseconds / 1_000_000)
        let instants = (0..<options.rows).map { _ in start.milliseconds - Int64(random.unit() * reach) }
        for instant in instants.sorted() {
            add(at: instant, historic.prefix { $0.nanoseconds / 1_000_000 <= instant })
        }
    }

    private mutating func add(at instant: Int64, _ relations: ArraySlice<SimulatedRelations.Row>) {
        guard !relations.isEmpty else { return }
        let relation = relations[relations.startIndex + random.below(relations.count)]
        // What is in the past already changes where a reader can see it.
        let seen = max(instant, start.milliseconds)
        let edited = random.chance(options.revise) ? seen + 1000 + Int64(random.unit() * 5000) : nil
        let deleted = random.chance(options.deletes) ? seen + 3000 + Int64(random.unit() * 5000) : nil
        let returned = deleted.flatMap { deleted in
            random.chance(options.returns) ? deleted + 8000 + Int64(random.unit() * 4000) : nil
        }
        rows.append(
            Row(
                id: 2000 + Int64(rows.count) * 3, relation: relation, created: instant, edited: edited,
                deleted: deleted, returned: returned, isWritten: random.chance(0.5)))
    }
}

extension SimulatedCustomerRows.Row {
    /// Nil for a customer who cannot be asked for.
    func followRecord(at instant: Timestamp) -> TrueFollowRecord? {
        relation.externalUserID.map { external in
            TrueFollowRecord(
                id: id, externalUserID: external, staff: relation.staff,
                content: isEdited(at: instant) ? "已联系🐶\(id)" : "更新了标签", type: isWritten ? 1 : 2,
                createTime: Timestamp(seconds: created / 1000).chinaText, isEdited: isEdited(at: instant))
        }
    }

    func file(at instant: Timestamp) -> TrueCustomerFile {
        TrueCustomerFile(
            id: id, customerID: relation.customerID, staff: relation.staff, name: "合同-\(id % 7)",
            createTime: Timestamp(seconds: created / 1000).chinaText,
            note: isEdited(at: instant) ? "已签" : nil)
    }
}

extension SimulatedRelations.Row {
    /// Every fifth customer has none.
    var externalUserID: String? { customerID % 5 == 0 ? nil : "wm\(customerID)" }
}
