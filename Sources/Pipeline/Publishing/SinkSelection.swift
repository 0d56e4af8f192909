package import EventModel

/// Which events a sink wants: by type and by account. Everything else is filtered: counted and passed.
package struct SinkSelection: Sendable {
    private let events: [NamePattern]
    private let accounts: [NamePattern]?

    private let takesAll: Bool

    /// - Parameter accounts: nil takes every account, and the relay's own operational events too, which no pattern
    ///   over accounts matches.
    package init(events: [NamePattern], accounts: [NamePattern]?) {
        (self.events, self.accounts) = (events, accounts)
        takesAll = accounts == nil && events.contains { $0.text == "*" }
    }

    func wants(_ event: StoredEvent) -> Bool {
        if takesAll { return true }
        guard events.match(event.type) else { return false }
        guard let accounts else { return true }
        return event.account.map(accounts.match) ?? false
    }
}
