import EventModel
import Persisting
import Publishing

extension SubscriptionView {
    /// The subscription as it is listed: what it is and how it stands, without a secret.
    func write(_ object: inout JSONWriter) {
        object.member("id", id)
        writeSettings(&object)
        object.member("configured", record.isConfigured)
        object.member("state", health.state.rawValue)
        object.member("reason", health.reason)
        object.member("since", health.since?.rfc3339Milliseconds)
        object.member("failing_since", health.failingSince?.rfc3339Milliseconds)
        object.member("hold_until", health.holdUntil?.rfc3339Milliseconds)
        object.member("circuit", health.isCircuitOpen ? "open" : "closed")
        object.member("in_flight", standing.map { Int64($0.underWay) })
        object.member("in_flight_limit", standing.map { Int64($0.budget) })
        object.member("granted_rate", health.grantedRate.map { Int64($0) })
        object.member("created_at", record.created.rfc3339Milliseconds)
        object.member("updated_at", record.changed.rfc3339Milliseconds)
    }

    private func writeSettings(_ object: inout JSONWriter) {
        let settings = subscription
        object.member("name", settings.name)
        object.member("url", settings.url)
        object.array("events") { array in settings.events.forEach { array.string($0.text) } }
        object.key("accounts")
        if let accounts = settings.accounts {
            object.array { array in accounts.forEach { array.string($0.text) } }
        } else {
            object.null()
        }
        object.member("mode", settings.mode.rawValue)
        object.member("order", settings.isOrdered ? "key" : "none")
        // Values of headers are where keys end up: their names alone are shown.
        object.array("headers") { array in settings.headers.keys.sorted().forEach { array.string($0) } }
        object.member("secrets", Int64(settings.secrets.count))
        object.member("timeout", settings.timeout.configured)
        object.object("retry") { settings.retry.write(&$0) }
        object.member("concurrency", Int64(settings.concurrency))
        object.member("rate", settings.rate)
        object.member("batch", Int64(settings.batch))
        object.member("compress", settings.isCompressed ? "gzip" : "none")
        object.member("disabled", settings.isDisabled)
        object.member("disable_after", settings.disableAfter.configured)
        object.object("tls") { tls in
            tls.member("ca", settings.tls.ca)
            tls.member("certificate", settings.tls.certificate)
            tls.member("key", settings.tls.key)
        }
        object.member("auth", settings.auth.map(\.form))
        object.member("proxy", settings.proxy)
        object.member("handshake", settings.needsHandshake)
    }
}

extension Subscription.Authentication {
    fileprivate var form: String {
        switch self {
        case .bearer: "bearer"
        case .basic: "basic"
        }
    }
}

extension RetrySchedule {
    fileprivate func write(_ object: inout JSONWriter) {
        switch plan {
        case .fixed(let waits):
            object.array("schedule") { array in waits.forEach { array.string($0.configured) } }
        case .exponential(let initial, let factor, let max, let giveUpAfter):
            object.member("initial", initial.configured)
            object.member("factor", factor)
            object.member("max", max.configured)
            object.member("give_up_after", giveUpAfter.configured)
        }
        object.member("jitter", jitter)
    }
}

extension AttemptRecord {
    func write(_ object: inout JSONWriter) {
        object.member("webhook_id", webhookID)
        object.member("offset", offset)
        object.member("at", time.rfc3339Milliseconds)
        object.member("attempt", Int64(attempt))
        object.member("outcome", failure == nil ? "delivered" : "failed")
        object.member("status", status.map(Int64.init))
        object.member("duration_seconds", duration.inSeconds)
        object.member("failure", failure)
        object.member("reason", reason)
        // A receiver may answer with anything: what is no UTF-8 is replaced.
        object.member("answer", String(decoding: answer, as: UTF8.self))
    }
}
