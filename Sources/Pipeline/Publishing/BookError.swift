import EventModel
package import Persisting

/// Why something could not be done to a subscription. Safe to show.
package struct BookError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case notFound
        /// It belongs to the configuration.
        case readOnly
        case nameTaken
        /// A field that cannot be.
        case invalid
        /// A field that could be, but not beside the others or not here.
        case inconsistent
        /// A dead letter that is none.
        case noLetter
        /// A newer version wrote its settings.
        case unreadable
        /// The relay is stopping.
        case stopped
        case storage
    }

    package let kind: Kind
    package let cause: String
    /// The settings' field that is wrong.
    package let field: String?

    init(_ kind: Kind, _ subject: String) {
        (self.kind, field) = (kind, kind == .nameTaken ? "name" : nil)
        cause =
            switch kind {
            case .notFound: "there is no subscription \(subject)"
            case .readOnly: "the subscription \(subject) belongs to the configuration"
            case .nameTaken: "another subscription is called \(subject)"
            case .unreadable: "the subscription \(subject) was written by a newer version"
            case .stopped: "the relay is stopping"
            case .invalid, .inconsistent, .noLetter, .storage: subject
            }
    }

    /// A field that cannot be; `rule` says what it is allowed to be.
    init(_ kind: Kind = .invalid, field: String, _ rule: String) {
        (self.kind, self.field, cause) = (kind, field, rule)
    }

    init(_ error: LogError) {
        (kind, cause, field) = (.storage, error.description, nil)
    }

    package var description: String { cause }
}

/// A subscription as it is listed: what it is and how it stands. Whoever shows it leaves out the secrets.
package struct SubscriptionView: Sendable {
    /// What is known only while the relay runs.
    package struct Standing: Sendable {
        package let health: SubscriptionHealth
        package let underWay: Int
        /// Deliveries at once the endpoint gets at present.
        package let budget: Int
    }

    package let record: SubscriptionRecord
    package let subscription: Subscription
    package let standing: Standing?

    package var id: String { record.id }
    package var health: SubscriptionHealth { standing?.health ?? record.health }
}

extension SubscriptionHealth {
    /// How a new subscription stands.
    static func of(_ subscription: Subscription, _ now: Timestamp) -> SubscriptionHealth {
        var health = SubscriptionHealth()
        if subscription.isDisabled {
            (health.state, health.reason, health.since) = (.disabled, "disabled by its settings", now)
        }
        return health
    }
}
