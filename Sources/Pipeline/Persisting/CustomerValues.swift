package import EventModel

/// One entry of the schedule over customers, as the store knows it.
package struct ScheduledCustomer: Sendable, Equatable {
    /// What the call is made for (`CustomerReference.key`).
    package let key: String
    /// When it was last tried, well or not; nil for never.
    package let turn: Timestamp?
    /// Fingerprint of the latest reading's reply; nil before the first.
    package let reply: [UInt8]?
    /// Records that were absent from the latest reading: the next one must look at its rows, also at equal ones.
    package let pending: Int
    package let failures: Int
}

/// The two customers that could be next, and how many there are.
package struct ScheduleHead: Sendable, Equatable {
    /// The first whose reading is wanted by now: something changed there, or something has to be confirmed.
    package let wanted: ScheduledCustomer?
    /// The one whose turn is longest ago; one that never had a turn comes first.
    package let oldest: ScheduledCustomer?

    package init(wanted: ScheduledCustomer?, oldest: ScheduledCustomer?) {
        (self.wanted, self.oldest) = (wanted, oldest)
    }
}

/// A schedule over customers in numbers.
package struct ScheduleCounts: Sendable, Equatable {
    package let customers: Int
    /// Customers that were never read.
    package let unread: Int
    /// The oldest of the latest readings; nil while a customer was never read or there is none.
    package let oldestReading: Timestamp?
}

/// What is stored with one whole reading of a customer.
package struct CustomerReading: Sendable {
    package let key: String
    /// CloudEvents `source` of events that are made without a row.
    package let eventSource: String
    /// When the customer was picked: what was wanted until then is satisfied.
    package let picked: Timestamp
    package let reply: [UInt8]
    /// How far apart two readings must be that both lack a record, before it counts as deleted.
    package let patience: Duration

    package init(
        key: String, eventSource: String, picked: Timestamp, reply: [UInt8], patience: Duration
    ) {
        (self.key, self.eventSource, self.picked) = (key, eventSource, picked)
        (self.reply, self.patience) = (reply, patience)
    }
}

/// What became of a reading.
package struct ReadingResult: Sendable, Equatable {
    package internal(set) var rows = AppendResult()
    /// Records that are told of as deleted.
    package internal(set) var deleted = 0
    /// An empty reply where there were records before, for the first time.
    package internal(set) var vanished = false

    package init(rows: AppendResult = AppendResult()) {
        self.rows = rows
    }

    package static func += (left: inout ReadingResult, right: ReadingResult) {
        left.rows += right.rows
        left.deleted += right.deleted
    }
}
