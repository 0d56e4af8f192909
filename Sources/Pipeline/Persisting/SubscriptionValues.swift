package import EventModel

/// Whether a subscription's events flow. In every state but `active` they are held and flow on resume.
package enum SubscriptionState: String, Sendable, CaseIterable {
    case active
    /// By a person, or because it left the configuration.
    case paused
    /// By the relay (410, days of failure) or by the configuration.
    case disabled
}

/// How a subscription stands: what must survive a restart beside its position.
package struct SubscriptionHealth: Sendable, Equatable {
    package var state = SubscriptionState.active
    /// Why it is not active.
    package var reason: String?
    /// Since when it is in this state.
    package var since: Timestamp?
    /// The first failure since the last success.
    package var failingSince: Timestamp?
    /// No attempt before this: the endpoint's own `Retry-After`.
    package var holdUntil: Timestamp?
    package var isCircuitOpen = false
    /// The URL that has consented to deliveries, where a handshake is asked for.
    package var consentedURL: String?
    /// Deliveries a minute the endpoint granted; nil is no limit.
    package var grantedRate: Double?

    package init() {}
}

/// A subscription as the store keeps it; its settings are the publishing room's own words.
package struct SubscriptionRecord: Sendable {
    /// The name of its position among the sinks.
    package let sink: String
    /// `sub_…`
    package let id: String
    package let name: String
    package let url: String
    package let isConfigured: Bool
    /// JSON, opaque to the log. Holds secrets: never shown, never logged.
    package let settings: String
    package let created: Timestamp
    package let changed: Timestamp
    package var health: SubscriptionHealth

    package init(
        sink: String, id: String, name: String, url: String, isConfigured: Bool, settings: String,
        created: Timestamp, changed: Timestamp, health: SubscriptionHealth = SubscriptionHealth()
    ) {
        (self.sink, self.id, self.name, self.url) = (sink, id, name, url)
        (self.isConfigured, self.settings) = (isConfigured, settings)
        (self.created, self.changed, self.health) = (created, changed, health)
    }
}

/// One attempt as it is kept: what was sent when, and what came back. Nothing of the payload is in it.
package struct AttemptRecord: Sendable, Equatable {
    /// The event's offset; of a batch its first.
    package let offset: Int64
    package let webhookID: String
    /// When it began.
    package let time: Timestamp
    /// From 1.
    package let attempt: Int
    package let status: Int?
    package let duration: Duration
    /// `status`, `timeout`, `connect` …; nil for a success.
    package let failure: String?
    package let reason: String?
    /// The first bytes of the answer's body.
    package let answer: [UInt8]

    package init(
        offset: Int64, webhookID: String, time: Timestamp, attempt: Int, status: Int?, duration: Duration,
        failure: String?, reason: String?, answer: [UInt8]
    ) {
        (self.offset, self.webhookID, self.time, self.attempt) = (offset, webhookID, time, attempt)
        (self.status, self.duration, self.failure) = (status, duration, failure)
        (self.reason, self.answer) = (reason, answer)
    }
}

/// What the relay tells of a subscription in the log itself (contract, section 3).
package struct SubscriptionNotice: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case disabled = "millrace.subscription.disabled"
        case enabled = "millrace.subscription.enabled"
        case failing = "millrace.subscription.failing"
    }

    package let kind: Kind
    /// The relay's name: part of the event's source.
    package let relay: String
    package let id: String
    package let name: String
    package let url: String
    package let reason: String
    package let since: Timestamp

    package init(
        _ kind: Kind, relay: String, id: String, name: String, url: String, reason: String, since: Timestamp
    ) {
        (self.kind, self.relay, self.id, self.name) = (kind, relay, id, name)
        (self.url, self.reason, self.since) = (url, reason, since)
    }
}

/// A dead letter as it is listed and redriven.
package struct DeadLetterRecord: Sendable {
    package let id: Int64
    package let sink: String
    package let letter: DeadLetter
    /// Nil once retention has removed the event.
    package let event: EventID?
    package let type: String?
}

/// An account that was closed by `reset` or by `DELETE`.
package struct ClosedAccount: Sendable {
    package let sink: String
    package let subscription: String
    package let name: String
    package let closed: Timestamp
    package let cause: String
    package let events, delivered, filtered, dead, open, expired: Int64
}
