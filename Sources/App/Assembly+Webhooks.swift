import Configuration
import EventModel
import Foundation
import OutboundHTTP
import Persisting
import Ports
import Publishing
import Services
import Signing
import WebhookSink

/// From the configuration's words to the publishing room's, and from those to an endpoint.
extension Assembly {
    func deliveryEngine() -> DeliveryEngine {
        DeliveryEngine(
            DeliveryEngine.Surroundings(
                log: log, relay: settings.relay.name, timekeeper: timekeeper, draw: Self.draw,
                randomBytes: { secureRandomBytes($0) },
                endpoint: {
                    [relay = settings.relay.name, outward, timekeeper, isOpen = allowsPrivateEndpoints] in
                    WebhookSink(
                        Self.endpoint($0, relay: relay, allowsPrivateAddresses: isOpen), version: App.version,
                        http: outward, timekeeper: timekeeper)
                },
                abandon: { [outward] in outward.close() },
                metrics: WebhookMetrics(
                    attempts: metrics.webhookAttempts, attemptSeconds: metrics.webhookAttemptSeconds,
                    latency: metrics.deliveryLatency), logger: logger),
            configured: Self.configured(settings.webhooks))
    }

    static func configured(_ webhooks: [Settings.Webhook]) -> [DeliveryEngine.Configured] {
        webhooks.map { DeliveryEngine.Configured(subscription($0), from: start($0.from)) }
    }

    private var allowsPrivateEndpoints: Bool { settings.http?.allowPrivateEndpoints ?? false }

    private static func subscription(_ webhook: Settings.Webhook) -> Subscription {
        var subscription = Subscription(
            name: webhook.name, url: webhook.url, events: webhook.events, retry: schedule(webhook.retry))
        subscription.accounts = webhook.accounts.isEmpty ? nil : webhook.accounts
        subscription.mode = mode(webhook.mode)
        subscription.isOrdered = webhook.order == .key
        subscription.headers = webhook.headers
        subscription.secrets = webhook.secrets.map { Subscription.SigningSecret($0) }
        subscription.timeout = webhook.timeout
        (subscription.concurrency, subscription.rate) = (webhook.concurrency, webhook.rate)
        (subscription.batch, subscription.isCompressed) = (webhook.batch, webhook.compress == .gzip)
        (subscription.isDisabled, subscription.disableAfter) = (webhook.disabled, webhook.disableAfter)
        (subscription.tls.ca, subscription.tls.certificate) = (webhook.tls.ca, webhook.tls.certificate)
        subscription.tls.key = webhook.tls.key
        subscription.auth = webhook.auth.map(authentication)
        (subscription.proxy, subscription.needsHandshake) = (webhook.proxy, webhook.handshake)
        return subscription
    }

    private static func mode(_ mode: Settings.Mode) -> Subscription.Mode {
        switch mode {
        case .structured: .structured
        case .binary: .binary
        case .data: .data
        }
    }

    private static func authentication(_ auth: Settings.Authentication) -> Subscription.Authentication {
        switch auth {
        case .bearer(let token): .bearer(token)
        case .basic(let username, let password): .basic(username: username, password: password)
        }
    }

    private static func schedule(_ retry: Settings.Retry) -> RetrySchedule {
        switch retry.plan {
        case .schedule(let waits):
            RetrySchedule(.fixed(waits), jitter: retry.jitter)
        case .exponential(let initial, let factor, let max, let giveUpAfter):
            RetrySchedule(
                .exponential(initial: initial, factor: factor, max: max, giveUpAfter: giveUpAfter),
                jitter: retry.jitter)
        }
    }

    private static func endpoint(
        _ subscription: Subscription, relay: String, allowsPrivateAddresses: Bool
    ) -> WebhookSink.Settings {
        var settings = WebhookSink.Settings(
            url: subscription.url,
            signers: subscription.secrets.compactMap { secret in
                WebhookSigner(secret: secret.secret.reveal()).map {
                    WebhookSink.Signer($0, until: secret.end)
                }
            })
        settings.headers =
            subscription.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.reveal()) }
            + authorization(subscription.auth)
        settings.timeout = subscription.timeout
        settings.mode =
            switch subscription.mode {
            case .structured: .structured
            case .binary: .binary
            case .data: .data
            }
        settings.isCompressed = subscription.isCompressed
        settings.origin = subscription.needsHandshake ? "\(relay).millrace" : nil
        (settings.proxy, settings.caFile) = (subscription.proxy, subscription.tls.ca)
        (settings.certificateFile, settings.keyFile) = (subscription.tls.certificate, subscription.tls.key)
        settings.allowsPrivateAddresses = allowsPrivateAddresses
        return settings
    }

    private static func authorization(
        _ auth: Subscription.Authentication?
    ) -> [(name: String, value: String)] {
        switch auth {
        case nil:
            return []
        case .bearer(let token):
            return [("authorization", "Bearer \(token.reveal())")]
        case .basic(let username, let password):
            let pair = Data("\(username):\(password.reveal())".utf8).base64EncodedString()
            return [("authorization", "Basic \(pair)")]
        }
    }
}
