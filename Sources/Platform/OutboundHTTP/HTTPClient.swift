import CCurl
import Foundation
import Synchronization

/// All outgoing HTTP of the process: libcurl's multi interface on one thread, behind an async call.
///
/// Connections are reused, HTTP/2 is used where offered over TLS, redirects are never followed, only http and https are
/// spoken. Any number of tasks may call `send` at once. Cancelling a task ends its transfer at once; closing the client
/// fails what is under way.
package final class HTTPClient: Sendable {
    private let inbox: Inbox

    /// Starts the thread. One client serves the whole process.
    /// - Parameter idleConnections: how many connections are kept open for reuse.
    package init(idleConnections: Int = 256) {
        let inbox = Inbox()
        self.inbox = inbox
        let thread = Thread {
            TransferLoop(inbox: inbox, idleConnections: idleConnections).run()
        }
        thread.name = "millrace-http-out"
        thread.start()
    }

    deinit {
        close()
    }

    /// Sends one request and returns the whole answer, whatever its status.
    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let ticket = inbox.nextTicket()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<TransferResult, Never>) in
                if Task.isCancelled {
                    continuation.resume(returning: .failure(.cancelled))
                } else {
                    inbox.add(
                        Transfer(ticket: ticket, request: request) { continuation.resume(returning: $0) })
                    // A cancellation that came before `add` found nothing to cancel.
                    if Task.isCancelled { inbox.cancel(ticket) }
                }
            }
        } onCancel: {
            inbox.cancel(ticket)
        }
        return try result.get()
    }

    /// Begins a request and returns at once, for callers that keep many under way.
    /// - Parameter done: called exactly once with the whole answer, on the transfer thread, which must not be blocked; a
    ///   request begun from there needs no wake-up of the thread.
    package func begin(
        _ request: OutboundRequest,
        _ done: @escaping @Sendable (Result<OutboundResponse, OutboundError>) -> Void
    ) {
        inbox.add(Transfer(ticket: inbox.nextTicket(), request: request, done: done))
    }

    /// Fails what is under way and ends the thread; further requests fail with `.closed`.
    package func close() {
        inbox.close()
    }
}

typealias TransferResult = Result<OutboundResponse, OutboundError>

extension OutboundError {
    static let cancelled = OutboundError(.cancelled, cause: "the request was cancelled")
    static let closed = OutboundError(.closed, cause: "the HTTP client is closed")
}

/// How tasks hand work to the transfer thread and wake it.
final class Inbox: Sendable {
    private struct State {
        var added: [Transfer] = []
        var cancelled: [Int] = []
        var isClosed = false
        var lastTicket = 0
        /// Whether the thread looks here again before it sleeps, so that nobody needs to wake it.
        var isAwake = true
        /// Wakes the thread; nil before it runs and after it has ended.
        var wake: (@Sendable () -> Void)?

        mutating func wakeUnlessAwake() {
            guard !isAwake else { return }
            isAwake = true
            wake?()
        }
    }

    struct Work {
        let added: [Transfer]
        let cancelled: [Int]
        let isClosed: Bool
    }

    private let state = Mutex(State())

    func nextTicket() -> Int {
        state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
    }

    func add(_ transfer: Transfer) {
        let isClosed = state.withLock { state in
            if state.isClosed { return true }
            state.added.append(transfer)
            state.wakeUnlessAwake()
            return false
        }
        if isClosed { transfer.finish(.failure(.closed)) }
    }

    func cancel(_ ticket: Int) {
        state.withLock { state in
            state.cancelled.append(ticket)
            state.wakeUnlessAwake()
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wakeUnlessAwake()
        }
    }

    /// Called by the thread; `wake` is called under the lock, so it is never called after `detach` returned.
    func attach(wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    func detach() {
        state.withLock { $0.wake = nil }
    }

    /// Whether there is nothing to do; then whoever adds something from now on wakes the thread.
    func maySleep() -> Bool {
        state.withLock { state in
            guard state.added.isEmpty, state.cancelled.isEmpty, !state.isClosed else { return false }
            state.isAwake = false
            return true
        }
    }

    func take() -> Work {
        state.withLock { state in
            state.isAwake = true
            defer { (state.added, state.cancelled) = ([], []) }
            return Work(added: state.added, cancelled: state.cancelled, isClosed: state.isClosed)
        }
    }
}
