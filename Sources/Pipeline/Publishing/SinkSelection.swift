package import EventModel

/// Which events a sink wants: by type and by account. Everything else is filtered: counted and passed.
package struct SinkSelection: Sendable {
    private let events: [NamePattern]
    private let accounts: [NamePattern]?

    /// - Parameter accounts: nil takes every account, and the relay's own operational events too.
    package init(events: [NamePattern], accounts: [NamePattern]?) {
        (self.events, self.accounts) = (events, accounts)
    }

    func wants(_ event: StoredEvent) -> Bool {
        guard events.match(event.type) else { return false }
        guard let accounts, let account = event.account else { return true }
        return accounts.match(account)
    }
}
