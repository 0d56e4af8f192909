import EventModel
import Persisting
import Signing

/// What becomes of a configured subscription at a start or a reload: its record, and what the log is told. Pure.
struct Reconciliation {
    let record: SubscriptionRecord
    let notices: [SubscriptionNotice]

    init(_ subscription: Subscription, old: SubscriptionRecord?, relay: String, now: Timestamp) {
        let id = old?.id ?? Self.id(of: subscription.name)
        let settings = subscription.stored
        var health = old?.health ?? SubscriptionHealth()
        var notices: [SubscriptionNotice] = []
        if subscription.isDisabled {
            if health.state == .active || health.reason == DeliveryEngine.leftReason {
                health.state = .disabled
                (health.reason, health.since) = (DeliveryEngine.configuredReason, now)
            }
        } else if health.state != .active, Self.comesBack(health, old, subscription) {
            let wasDisabled =
                health.state == .disabled && health.reason != DeliveryEngine.configuredReason
            health = health.cleared
            if wasDisabled {
                notices = [
                    SubscriptionNotice(
                        .enabled, relay: relay, id: id, name: subscription.name, url: subscription.url,
                        reason: "its url has changed", since: now)
                ]
            }
        }
        record = SubscriptionRecord(
            sink: SubscriptionName.sink(ofConfigured: subscription.name), id: id, name: subscription.name,
            url: subscription.url, isConfigured: true, settings: settings, created: old?.created ?? now,
            changed: old?.settings == settings ? old?.changed ?? now : now, health: health)
        self.notices = notices
    }

    /// What the configuration stopped, it starts again. What the relay has disabled goes on only at another endpoint, or
    /// when somebody resumes it; what a person paused stays paused.
    private static func comesBack(
        _ health: SubscriptionHealth, _ old: SubscriptionRecord?, _ subscription: Subscription
    ) -> Bool {
        if [DeliveryEngine.leftReason, DeliveryEngine.configuredReason].contains(health.reason) {
            return true
        }
        return health.state == .disabled && old?.url != subscription.url
    }

    /// `sub_` and 26 characters that only the name decides: the same on every relay and after every rebuild.
    static func id(of name: String) -> String {
        let digest = Digest.sha256(Array("subscription\n\(name)".utf8))
        let id = EventID(time: Timestamp(milliseconds: 0), digest: digest)
        return "sub_" + id.text.dropFirst(4)
    }
}
