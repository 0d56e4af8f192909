import EventModel
import Ports
package import Services

/// Where deliveries to subscriptions are counted and measured; nil parts are not.
package struct WebhookMetrics: Sendable {
    let attempts: Metric?
    let attemptSeconds: Metric?
    let latency: Metric?

    /// - Parameters:
    ///   - attempts: by subscription and outcome (`delivered`, `failed`, `refused`, `gone`).
    ///   - attemptSeconds: how long they took, by subscription.
    ///   - latency: from stored to acknowledged, by sink.
    package init(attempts: Metric? = nil, attemptSeconds: Metric? = nil, latency: Metric? = nil) {
        (self.attempts, self.attemptSeconds, self.latency) = (attempts, attemptSeconds, latency)
    }

    /// One attempt of the live flow has ended. What the relay broke off itself was none.
    func ended(
        _ result: AttemptResult, of delivery: Delivery, to subscription: String, sink: String, took: Duration,
        at now: Timestamp
    ) {
        guard let outcome = Self.outcome(result.verdict) else { return }
        attempts?.increment(subscription, outcome)
        attemptSeconds?.observe(took, subscription)
        if result.verdict == .accepted {
            LatencyMeter(latency, sink: sink).acknowledged(delivery.events, at: now)
        }
    }

    private static func outcome(_ verdict: AttemptResult.Verdict) -> String? {
        switch verdict {
        case .accepted: "delivered"
        case .failed, .overloaded: "failed"
        case .refused, .tooLarge: "refused"
        case .gone: "gone"
        case .abandoned: nil
        }
    }
}
