package import EventModel

/// What one request carries to a subscriber.
package struct Delivery: Sendable {
    /// `webhook-id`: the same on every attempt and replay.
    package let id: String
    /// One event, or the members of a batch in log order.
    package let events: [StoredEvent]
    /// Sent in the batch form even when it has one member.
    package let isBatch: Bool
    /// From 1.
    package let attempt: Int
    /// The replay it belongs to; nil in the live flow.
    package let replay: String?

    package init(id: String, events: [StoredEvent], isBatch: Bool, attempt: Int, replay: String? = nil) {
        (self.id, self.events, self.isBatch) = (id, events, isBatch)
        (self.attempt, self.replay) = (attempt, replay)
    }
}

/// What came of one attempt at an endpoint.
package struct AttemptResult: Sendable, Equatable {
    /// What the answer means for the delivery and for the endpoint (contract, section 6).
    package enum Verdict: Sendable, Equatable {
        case accepted
        /// Again by the schedule.
        case failed
        /// Again by the schedule, and the endpoint is given less at once.
        case overloaded
        /// The endpoint wants nothing more, ever.
        case gone
        /// This body will never do.
        case refused
        /// As `refused`, but half of a batch may do.
        case tooLarge
        /// Ended by the relay itself: as if it had not been tried.
        case abandoned
    }

    package enum Failure: String, Sendable, Equatable {
        case status, timeout, connect, resolve, tls, broken
        case refusedAddress = "refused_address"
        case unusable, other
    }

    package let verdict: Verdict
    package let status: Int?
    /// Nil when it was accepted.
    package let failure: Failure?
    /// For people; never a payload or a secret.
    package let reason: String
    /// The wait the endpoint asked for.
    package let retryAfter: Duration?
    /// The first bytes of the answer's body.
    package let answer: [UInt8]

    package init(
        _ verdict: Verdict, status: Int? = nil, failure: Failure? = nil, reason: String = "",
        retryAfter: Duration? = nil, answer: [UInt8] = []
    ) {
        (self.verdict, self.status, self.failure) = (verdict, status, failure)
        (self.reason, self.retryAfter, self.answer) = (reason, retryAfter, answer)
    }
}

/// What an endpoint said to being asked whether it wants deliveries (CloudEvents, "HTTP 1.1 Web Hooks").
package enum Consent: Sendable, Equatable {
    /// - Parameter perMinute: how many deliveries; nil is no limit.
    case granted(perMinute: Double?)
    case refused(AttemptResult)
}

/// One subscriber's endpoint.
///
/// Calls return at once; `done` is called exactly once, from the transport's own thread, which must not be blocked. It may
/// begin the next delivery from there.
package protocol Endpoint: Sendable {
    /// Makes one attempt. Never fails by itself: a failure is a value.
    func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void)
    /// Asks whether deliveries are wanted.
    func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void)
}
