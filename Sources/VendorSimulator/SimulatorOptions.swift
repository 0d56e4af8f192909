/// Everything about a simulator that can be chosen; the defaults are a calm vendor with a small world.
package struct SimulatorOptions: Sendable {
    /// What `nextCursor` is on the last page of a window. What the vendor does is unknown.
    package enum LastCursor: String, Sendable, CaseIterable {
        case null
        case absent
        /// The cursor of the page's last row; on an empty page the request's own cursor again.
        case same
    }

    /// An address in numbers, v4 or v6.
    package var host = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 0
    /// The account that is let in.
    package var appID = "ww0123456789abcdef_Demo01"
    /// The account's signing secret.
    package var appKey = "demoAppKey"
    /// Weiban's account, and how long a token of it lives.
    package var corpID = "1704174310933890049"
    package var corpSecret = "demoWeibanSecret"
    package var tokenLife = Duration.seconds(7200)
    /// Decides the world and the faults; the same seed and start give the same rows.
    package var seed: UInt64 = 1
    /// Historic rows, spread over the time before the start.
    package var rows = 200
    /// How far back the historic rows reach.
    package var spread = Duration.seconds(3600)
    /// Rows that happen each second from the start on; fractions are fine.
    package var rate = 0.0
    /// After this many rows of `rate` nothing more happens; nil for no end.
    package var limit: Int?
    /// Share of rows that appear in the list 1 to 30 seconds after they happened.
    package var late = 0.0
    /// Share of rows whose `viewDuration` is null at first and filled in 5 to 60 seconds after they appeared.
    package var revise = 0.0
    /// Share of follow records that disappear 3 to 8 seconds after they could be seen.
    package var deletes = 0.0
    /// Share of these that come back 8 to 12 seconds later.
    package var returns = 0.0
    /// Share of customers who are removed 3 to 8 seconds after they could be seen and come back: as a new relation at Tanma, as
    /// another loss at Weiban.
    package var comeBack = 0.0
    /// Whether a customer without follow records is answered with null instead of an empty list.
    package var emptyIsNull = false
    /// Whether the page after `lastId` begins with that file once more; what the vendor does is unknown.
    package var lastIDComesBack = false
    /// How long every answer takes.
    package var latency = Duration.zero
    /// More requests than these within a second are answered with 429 at Tanma; nil for no limit.
    package var tanmaPerSecond: Int?
    /// So many requests of the company in process at once are answered with code 10052 at Weiban.
    package var weibanAtOnce = 5
    /// More than these within a minute block Weiban's list for as long as `weibanBlock` (code 10053).
    package var weibanPerMinute = 600
    package var weibanBlock = Duration.seconds(60)
    /// What goes wrong; nothing by default.
    package var faults = FaultPlan()
    /// How the last page of a window says that it is the last.
    package var lastCursor = LastCursor.null
    /// Whether the vendor's own sample rows are in the world, at their own time in 2021.
    package var includeSample = true
    /// Larger asked sizes are cut to it.
    package var maxPageSize = 500
    /// Called once a request, on the server's thread, before the answer is sent; must not block.
    package var requestLog: (@Sendable (SimulatedRequest) -> Void)?

    package init() {}

    /// The first option that makes no sense, in words.
    var problem: String? {
        let shares = [
            ("late", late), ("revise", revise), ("deletes", deletes), ("returns", returns),
            ("comeBack", comeBack),
        ]
        for (name, share) in shares + faults.namedShares
        where !(0...1).contains(share) {
            return "\(name) is a share from 0 to 1"
        }
        if rows < 0 { return "rows cannot be negative" }
        if !rate.isFinite || rate < 0 { return "rate cannot be negative" }
        if let limit, limit < 0 { return "limit cannot be negative" }
        if spread < .zero || (rows > 0 && spread < .seconds(1)) { return "spread is at least a second" }
        if weibanAtOnce < 1 || weibanPerMinute < 1 { return "Weiban's limits are at least 1" }
        return maxPageSize < 1 ? "maxPageSize is at least 1" : nil
    }

    /// For rows that nobody can tell as deleted.
    var withoutDeletions: SimulatorOptions {
        var options = self
        options.deletes = 0
        return options
    }
}
