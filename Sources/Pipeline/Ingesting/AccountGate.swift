package import Ports
package import Services
import Synchronization

/// One account's way out: its rate, its concurrency, the vendor's throttling, and its stop when the vendor refuses who we
/// are.
///
/// Shared by all sources of an account, so that together they keep its limits (`Turnstile` says who goes next). A request
/// that fails in passing is tried again at once a few times: a window of a hundred pages would never be read whole if one
/// lost connection ended it. A refused signature is a mistake in the configuration that no retry mends: one clear line,
/// nothing sent for a quarter of an hour, then one try.
package final class AccountGate: RequestGate {
    private struct State {
        var turnstile: Turnstile
        var stoppedUntil: Duration?
        /// Counts what those who wait want to know of.
        var changes = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let account: String
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let logger: Logger
    private let state: Mutex<State>

    /// How long a stopped account rests before it is tried again.
    static let rest: Duration = .seconds(15 * 60)
    /// The wait when a vendor throttles without naming one.
    static let unnamedThrottle: Duration = .seconds(5)

    /// Tries of one request, the first included, before its window is given up and read again later.
    static let tries = 4

    /// - Parameters:
    ///   - atOnce: how many requests may be in process at the vendor.
    ///   - draw: gives numbers between 0 and 1, for jitter.
    package init(
        account: String, requestsPerSecond: Double, atOnce: Int, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double, logger: Logger
    ) {
        (self.account, self.timekeeper, self.draw, self.logger) = (account, timekeeper, draw, logger)
        state = Mutex(State(turnstile: Turnstile(perSecond: requestsPerSecond, atOnce: atOnce)))
    }

    package func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        try await admitted(.period, request)
    }

    /// The same gate for calls that ask for one customer: lists of periods go first.
    package var forCustomers: any RequestGate { CustomerGate(gate: self) }

    /// How long the account still rests; nil when it does not.
    package func restLeft() -> Duration? {
        state.withLock { rest(of: $0) }
    }

    fileprivate func admitted<T: Sendable>(
        _ importance: Turnstile.Importance, _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(4))
        while true {
            try await enter(importance)
            do throws(SourceError) {
                let result = try await request()
                succeeded()
                return result
            } catch {
                failed(error)
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

    // MARK: - Waiting for a place

    private func enter(_ importance: Turnstile.Importance) async throws(SourceError) {
        let ticket = state.withLock { $0.turnstile.join(importance) }
        do throws(SourceError) {
            while true {
                let (answer, seen) = try ask(ticket)
                switch answer {
                case .enter: return changed { _ in }
                case .wait(let duration): try await pause(duration)
                case .later: try await change(after: seen, ticket)
                }
            }
        } catch {
            changed { $0.turnstile.giveUp(ticket) }
            throw error
        }
    }

    private func ask(_ ticket: Int) throws(SourceError) -> (Turnstile.Answer, changes: Int) {
        let (isStopped, answer, changes) = state.withLock { state in
            let isStopped = rest(of: state) != nil
            let answer: Turnstile.Answer =
                isStopped ? .later : state.turnstile.ask(ticket, at: timekeeper.elapsed)
            return (isStopped, answer, state.changes)
        }
        if isStopped {
            throw SourceError(.credentials, doing: "ask the vendor", cause: "the account is stopped")
        }
        return (answer, changes)
    }

    /// Returns once something has changed since `seen`.
    private func change(after seen: Int, _ ticket: Int) async throws(SourceError) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.changes != seen || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
        if Task.isCancelled {
            throw SourceError(.cancelled, doing: "wait before a request", cause: "cancelled")
        }
    }

    private func changed(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            state.changes += 1
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    private func pause(_ duration: Duration) async throws(SourceError) {
        do throws(CancellationError) {
            try await timekeeper.sleep(for: duration)
        } catch {
            throw SourceError(.cancelled, doing: "wait before a request", cause: "cancelled")
        }
    }

    private func rest(of state: State) -> Duration? {
        state.stoppedUntil.map { $0 - timekeeper.elapsed }.flatMap { $0 > .zero ? $0 : nil }
    }

    // MARK: - What came of a request

    private func succeeded() {
        var worksAgain = false
        changed { state in
            state.turnstile.leave()
            worksAgain = state.stoppedUntil != nil
            state.stoppedUntil = nil
        }
        if worksAgain { logger.info("account works again", [.account: .text(account)]) }
    }

    private func failed(_ error: SourceError) {
        switch error.kind {
        case .credentials:
            var isNew = false
            changed { state in
                state.turnstile.leave()
                isNew = rest(of: state) == nil
                state.stoppedUntil = timekeeper.elapsed + Self.rest
            }
            guard isNew else { return }
            logger.error(
                "account stopped",
                [.account: .text(account), .cause: .text(error.cause), .delay: .duration(Self.rest)])
        case .throttled(let wait):
            let pause = wait ?? Self.unnamedThrottle
            changed { state in
                state.turnstile.leave()
                state.turnstile.close(until: timekeeper.elapsed + pause)
            }
            logger.warning(
                "vendor asks for patience",
                [.account: .text(account), .cause: .text(error.cause), .delay: .duration(pause)])
        default:
            changed { $0.turnstile.leave() }
        }
    }
}

/// The account's gate as calls for single customers see it.
private struct CustomerGate: RequestGate {
    let gate: AccountGate

    func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        try await gate.admitted(.customer, request)
    }
}
