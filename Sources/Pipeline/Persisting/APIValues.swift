package import EventModel

/// A token made through the API, as it is kept.
package struct StoredToken: Sendable, Equatable {
    /// Grows with each token ever made.
    package let id: Int64
    package let name: String
    /// SHA-256 of the token.
    package let hash: [UInt8]
    package let scope: String
    package let created: Timestamp

    package init(id: Int64, name: String, hash: [UInt8], scope: String, created: Timestamp) {
        (self.id, self.name, self.hash, self.scope, self.created) = (id, name, hash, scope, created)
    }
}

/// What is to be recorded with a change.
package struct ChangeNote: Sendable {
    /// The name of the token it was made with.
    package let who: String
    /// A verb phrase of a fixed list: `token.created`.
    package let what: String
    /// The thing's name or id; never a secret.
    package let subject: String

    package init(who: String, what: String, subject: String) {
        (self.who, self.what, self.subject) = (who, what, subject)
    }
}

/// One change made through the API.
package struct ChangeRecord: Sendable {
    package let id: Int64
    package let at: Timestamp
    package let note: ChangeNote
}

/// A row that could not be read, as it is kept.
package struct QuarantinedRow: Sendable {
    package let id: Int64
    package let source: SourceIdentity
    package let recorded: Timestamp
    package let reason: String
    /// As the vendor sent it; its shape alone where personal data is not kept.
    package let row: [UInt8]
}

/// What a retry of quarantined rows gave.
package struct RecoveryResult: Sendable, Equatable {
    /// Rows that made an event, new or a revision.
    package internal(set) var recovered = 0
    /// Rows that had come in readable meanwhile.
    package internal(set) var known = 0
    /// Rows that still cannot be read.
    package internal(set) var rejected = 0

    package init(rejected: Int = 0) {
        self.rejected = rejected
    }

    package static func += (left: inout RecoveryResult, right: RecoveryResult) {
        left.recovered += right.recovered
        left.known += right.known
        left.rejected += right.rejected
    }
}

/// Which events a reader of the log wants; nil wants all.
package struct EventFilter: Sendable {
    package var types: [NamePattern]?
    package var accounts: [NamePattern]?
    package var subject: String?

    package init(types: [NamePattern]? = nil, accounts: [NamePattern]? = nil, subject: String? = nil) {
        (self.types, self.accounts, self.subject) = (types, accounts, subject)
    }

    var takesAll: Bool { types == nil && accounts == nil && subject == nil }

    /// An operational event has no account, and no pattern of accounts matches it.
    package func wants(type: String, account: String?, key: String) -> Bool {
        if let subject, subject != key { return false }
        if let types, !types.match(type) { return false }
        guard let accounts else { return true }
        return account.map(accounts.match) ?? false
    }
}

/// A part of the log, ready to be sent.
package struct FeedPage: Sendable {
    /// The events' own bytes, with a comma between two.
    package internal(set) var events: [UInt8] = []
    package internal(set) var count = 0
    /// The last offset that was looked at.
    package internal(set) var next: Int64
    /// The oldest event kept; the next offset when none is.
    package internal(set) var oldest: Int64 = 0
    /// Offset of the newest event the store has.
    package internal(set) var head: Int64 = 0
}
