import EventModel
import Persisting
import Ports
import Services

/// Pausing, resuming, changing, consenting: what happens to a subscription from outside.
extension LaneMachine {
    // MARK: - By people

    mutating func paused(_ reason: String, _ moment: Moment) {
        guard health.state == .active else { return }
        health.state = .paused
        (health.reason, health.since) = (reason, moment.now)
        ledger.stands(health)
        unchoose()
    }

    mutating func disabled(_ reason: String, _ moment: Moment) {
        guard health.state != .disabled else { return }
        health.state = .disabled
        (health.reason, health.since) = (reason, moment.now)
        ledger.stands(health, telling: notice(.disabled, reason, since: moment.now))
        unchoose()
    }

    /// Everything that was held is due now, and the endpoint begins with a clean record.
    mutating func resumed(_ reason: String, _ moment: Moment) {
        guard health.state != .active else { return }
        let wasDisabled = health.state == .disabled
        health = health.cleared
        circuit = Circuit()
        throttle = Throttle(limit: subscription.concurrency)
        rows.makeAllDue(moment.now)
        ledger.makeAllDue(moment.now)
        mayHaveMore = true
        settlePaceAndConsent()
        ledger.stands(
            health, telling: wasDisabled ? notice(.enabled, reason, since: moment.now) : nil)
    }

    /// New patterns apply to what is not taken yet.
    mutating func changed(_ subscription: Subscription) {
        let wasLimited = self.subscription.concurrency
        self.subscription = subscription
        selection = subscription.selection
        if wasLimited != subscription.concurrency { throttle = Throttle(limit: subscription.concurrency) }
        settlePaceAndConsent()
    }

    /// Rows that came from outside: dead letters that were redriven.
    mutating func redriven(_ redrives: [(offset: Int64, key: String)], _ moment: Moment) {
        for redrive in redrives {
            rows.insert(
                redrive.offset,
                WaitingRows.Row(
                    attempts: 0, due: moment.now, firstFailed: moment.now,
                    keys: subscription.isOrdered ? [redrive.key] : []))
        }
    }

    // MARK: - Consent

    mutating func settlePaceAndConsent() {
        let granted = subscription.needsHandshake ? health.grantedRate.map { $0 / 60 } : nil
        pace = [subscription.rate, granted].compactMap { $0 }.min().map(Pace.init(perSecond:))
        if !subscription.needsHandshake {
            consent = .notNeeded
        } else if health.consentedURL == subscription.url {
            consent = .given
        } else if consent != .asked {
            consent = .missing(next: .zero, refusals: 0)
        }
    }

    mutating func consentStep(_ moment: Moment) -> Step? {
        guard case .missing(let next, _) = consent, moment.elapsed >= next else { return nil }
        lastRefusals = refusals
        consent = .asked
        return .askConsent(perMinute: subscription.rate.map { $0 * 60 })
    }

    private var refusals: Int {
        if case .missing(_, let refusals) = consent { refusals } else { 0 }
    }

    mutating func consented(_ answer: Consent, _ moment: Moment) -> [Step] {
        guard !isRetired, consent == .asked else { return [] }
        switch answer {
        case .granted(let perMinute):
            (health.consentedURL, health.grantedRate) = (subscription.url, perMinute)
            consent = .given
            ledger.stands(health)
            settlePaceAndConsent()
            mayHaveMore = true
            return []
        case .refused(let result):
            return refusedConsent(result, moment)
        }
    }

    /// Asked again after 30 s, 1 min, 2 min … 1 h, and not before the endpoint's own `Retry-After`.
    private mutating func refusedConsent(_ result: AttemptResult, _ moment: Moment) -> [Step] {
        let refusals = lastRefusals + 1
        guard result.verdict != .abandoned else {
            consent = .missing(next: moment.elapsed, refusals: lastRefusals)
            return []
        }
        let wait = min(.seconds(30) * (1 << min(refusals - 1, 7)), .seconds(3600))
        consent = .missing(
            next: moment.elapsed + max(wait, result.retryAfter ?? .zero), refusals: refusals)
        ledger.attempted(
            AttemptRecord(
                offset: 0, webhookID: "", time: moment.now, attempt: refusals, status: result.status,
                duration: .zero, failure: "handshake", reason: result.reason, answer: result.answer))
        return [.say(.noConsent(reason: result.reason, delay: wait))]
    }
}

extension SubscriptionHealth {
    /// Active, with what the endpoint granted and nothing else.
    var cleared: SubscriptionHealth {
        var health = SubscriptionHealth()
        (health.consentedURL, health.grantedRate) = (consentedURL, grantedRate)
        return health
    }
}
