import Ports
import Services

/// What a source does when it fails: how long it waits, and what it says, once.
struct Setbacks {
    /// After this many failures in a row the source is reported at `error`, once, until it works again.
    static let alarmAfter = 5
    /// How long a source whose request is refused as wrong rests before it is tried again.
    static let rest: Duration = .seconds(15 * 60)

    private let source: String
    private let gate: AccountGate
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private var backoff = Backoff()

    init(
        source: String, gate: AccountGate, draw: @escaping @Sendable () -> Double, logger: Logger
    ) {
        (self.source, self.gate, self.draw, self.logger) = (source, gate, draw, logger)
    }

    mutating func worked() {
        if backoff.succeeded() { logger.info("source works again", [.source: .text(source)]) }
    }

    /// How long to wait before the next try.
    mutating func wait(after error: SourceError) -> Duration {
        switch error.kind {
        case .cancelled:
            return .zero
        case .credentials:
            // The gate has said so, once for the whole account.
            return gate.restLeft() ?? .seconds(1)
        case .parameters:
            logger.error(
                "source stopped",
                [
                    .source: .text(source), .doing: .text(error.doing), .cause: .text(error.cause),
                    .delay: .duration(Self.rest),
                ])
            return Self.rest
        default:
            let delay = backoff.failed(draw: draw())
            tell(error, delay)
            return delay
        }
    }

    private func tell(_ error: SourceError, _ delay: Duration) {
        let fields: KeyValuePairs<LogKey, LogValue> = [
            .source: .text(source), .doing: .text(error.doing), .cause: .text(error.cause),
            .attempt: .count(backoff.failures), .delay: .duration(delay),
        ]
        if backoff.failures == Self.alarmAfter {
            logger.error("source keeps failing", fields)
        } else {
            logger.warning("reading failed, will be tried again", fields)
        }
    }
}
