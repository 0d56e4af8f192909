package import Ports
package import Services

/// One account's way out: its rate, the vendor's throttling, and its stop when the vendor refuses who we are.
///
/// Shared by all sources of an account, so that together they keep its limits. A request that fails in passing is tried
/// again at once a few times: a window of a hundred pages would never be read whole if one lost connection ended it. A
/// refused signature is a mistake in the configuration that no retry mends: one clear line, nothing sent for a quarter
/// of an hour, then one try.
package actor AccountGate: RequestGate {
    private let account: String
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private var limiter: RateLimiter
    private var stoppedUntil: Duration?

    /// How long a stopped account rests before it is tried again.
    static let rest: Duration = .seconds(15 * 60)
    /// The wait when a vendor throttles without naming one.
    static let unnamedThrottle: Duration = .seconds(5)

    /// Tries of one request, the first included, before its window is given up and read again later.
    static let tries = 4

    /// - Parameter draw: gives numbers between 0 and 1, for jitter.
    package init(
        account: String, requestsPerSecond: Double, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double, logger: Logger
    ) {
        (self.account, self.timekeeper, self.draw, self.logger) = (account, timekeeper, draw, logger)
        limiter = RateLimiter(perSecond: requestsPerSecond)
    }

    package nonisolated func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(4))
        while true {
            try await enter()
            do throws(SourceError) {
                let result = try await request()
                await succeeded()
                return result
            } catch {
                await failed(error)
                let delay = backoff.failed(draw: draw())
                guard error.mayPassSoon, backoff.failures < Self.tries else { throw error }
                logger.debug(
                    "request failed, will be tried again",
                    [
                        .account: .text(account), .doing: .text(error.doing), .cause: .text(error.cause),
                        .attempt: .count(backoff.failures), .delay: .duration(delay),
                    ])
                try await pause(delay)
            }
        }
    }

    /// How long the account still rests; nil when it does not.
    package func restLeft() -> Duration? {
        stoppedUntil.map { $0 - timekeeper.elapsed }.flatMap { $0 > .zero ? $0 : nil }
    }

    private func enter() async throws(SourceError) {
        if restLeft() != nil {
            throw SourceError(.credentials, doing: "ask the vendor", cause: "the account is stopped")
        }
        var wait = limiter.reserve(at: timekeeper.elapsed)
        while wait > .zero {
            try await pause(wait)
            // Somebody else's request may have stopped the account meanwhile, or closed it for a while.
            if restLeft() != nil {
                throw SourceError(.credentials, doing: "ask the vendor", cause: "the account is stopped")
            }
            let now = timekeeper.elapsed
            wait = limiter.isClosed(at: now) ? limiter.reserve(at: now) : .zero
        }
    }

    private nonisolated func pause(_ duration: Duration) async throws(SourceError) {
        do throws(CancellationError) {
            try await timekeeper.sleep(for: duration)
        } catch {
            throw SourceError(.cancelled, doing: "wait before a request", cause: "cancelled")
        }
    }

    private func succeeded() {
        guard stoppedUntil != nil else { return }
        stoppedUntil = nil
        logger.info("account works again", [.account: .text(account)])
    }

    private func failed(_ error: SourceError) {
        switch error.kind {
        case .credentials:
            let isNew = restLeft() == nil
            stoppedUntil = timekeeper.elapsed + Self.rest
            guard isNew else { return }
            logger.error(
                "account stopped",
                [.account: .text(account), .cause: .text(error.cause), .delay: .duration(Self.rest)])
        case .throttled(let wait):
            let pause = wait ?? Self.unnamedThrottle
            limiter.close(until: timekeeper.elapsed + pause)
            logger.warning(
                "vendor asks for patience",
                [.account: .text(account), .cause: .text(error.cause), .delay: .duration(pause)])
        default:
            break
        }
    }
}
