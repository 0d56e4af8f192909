import EventModel
import OutboundHTTP
import Ports

/// What an answer means: the table of the contract, section 6. Pure.
///
///     2xx                     accepted
///     410                     gone
///     413                     too large
///     415                     refused
///     429, 502, 503, 504      overloaded: again, and less at once
///     everything else         failed: again by the schedule; redirects are not followed
enum WebhookAnswer {
    /// - Parameter now: asked for only where an answer speaks of time.
    static func judge(
        _ result: Result<OutboundResponse, OutboundError>, now: @autoclosure () -> Timestamp
    ) -> AttemptResult {
        switch result {
        case .success(let response): judge(response, now: now())
        case .failure(let error): judge(error)
        }
    }

    private static func judge(
        _ response: OutboundResponse, now: @autoclosure () -> Timestamp
    ) -> AttemptResult {
        let verdict = verdict(response.status)
        if verdict == .accepted {
            return AttemptResult(.accepted, status: response.status, answer: response.body)
        }
        return AttemptResult(
            verdict, status: response.status, failure: .status, reason: "HTTP status \(response.status)",
            retryAfter: response.header("retry-after").flatMap { HTTPDate.retryAfter($0, now: now()) },
            answer: response.body)
    }

    private static func verdict(_ status: Int) -> AttemptResult.Verdict {
        switch status {
        case 200...299: .accepted
        case 410: .gone
        case 413: .tooLarge
        case 415: .refused
        case 429, 502, 503, 504: .overloaded
        default: .failed
        }
    }

    private static func judge(_ error: OutboundError) -> AttemptResult {
        let failure: AttemptResult.Failure =
            switch error.kind {
            case .cancelled, .closed: .other
            case .timeout: .timeout
            case .connect: .connect
            case .resolve: .resolve
            case .tls: .tls
            case .refusedAddress: .refusedAddress
            case .broken, .tooLarge: .broken
            case .unusable: .unusable
            case .other: .other
            }
        let isOurs = error.kind == .cancelled || error.kind == .closed
        return AttemptResult(isOurs ? .abandoned : .failed, failure: failure, reason: error.cause)
    }

    /// The headers consent; the status does not ("HTTP 1.1 Web Hooks for Event Delivery", section 4.2).
    static func consent(
        _ result: Result<OutboundResponse, OutboundError>, origin: String, now: Timestamp
    ) -> Consent {
        guard case .success(let response) = result else { return .refused(judge(result, now: now)) }
        let allowed = response.header("webhook-allowed-origin")
        guard allowed == "*" || allowed?.lowercased() == origin.lowercased() else {
            return .refused(
                AttemptResult(
                    .failed, status: response.status, failure: .status,
                    reason:
                        "the endpoint did not consent to deliveries (no WebHook-Allowed-Origin for \(origin))",
                    retryAfter: response.header("retry-after").flatMap { HTTPDate.retryAfter($0, now: now) },
                    answer: response.body))
        }
        let rate = response.header("webhook-allowed-rate").flatMap { Double($0) }
        return .granted(perMinute: rate.flatMap { $0 > 0 && $0.isFinite ? $0 : nil })
    }
}
