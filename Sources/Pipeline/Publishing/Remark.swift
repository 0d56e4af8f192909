import Services

/// What a lane has to say in the log. Nothing of a payload, a header or a secret is in it.
enum Remark {
    case willTryAgain(event: String, attempt: Int, reason: String, delay: Duration)
    case gaveUp(event: String, events: Int, attempt: Int, reason: String)
    case failing(reason: String)
    case disabled(reason: String)
    case noConsent(reason: String, delay: Duration)

    func log(_ sink: String, _ logger: Logger) {
        switch self {
        case .willTryAgain(let event, let attempt, let reason, let delay):
            logger.info(
                "delivery failed, will be tried again",
                [
                    .sink: .text(sink), .event: .text(event), .attempt: .count(attempt),
                    .reason: .text(reason), .delay: .duration(delay),
                ])
        case .gaveUp(let event, let events, let attempt, let reason):
            logger.error(
                "event given up",
                [
                    .sink: .text(sink), .event: .text(event), .count: .count(events),
                    .attempt: .count(attempt), .reason: .text(reason),
                ])
        case .failing(let reason):
            logger.warning(
                "subscription is failing, one probe every 30 s",
                [.sink: .text(sink), .reason: .text(reason)])
        case .disabled(let reason):
            logger.error(
                "subscription disabled, its events are held", [.sink: .text(sink), .reason: .text(reason)])
        case .noConsent(let reason, let delay):
            logger.warning(
                "endpoint has not consented to deliveries, will be asked again",
                [.sink: .text(sink), .reason: .text(reason), .delay: .duration(delay)])
        }
    }
}
