import CCurl
import Foundation
import Synchronization

/// Outgoing HTTP: libcurl's multi interface on threads of its own, behind an async call.
///
/// Connections are reused, HTTP/2 is used where offered over TLS, redirects are never followed, only http and https are
/// spoken. Any number of tasks may call `send` at once. Cancelling a task ends its transfer at once; closing the client
/// fails what is under way.
package final class HTTPClient: Sendable {
    private let inboxes: [Inbox]

    /// As many threads as deliveries to many endpoints keep busy: one for each core, a few at most.
    package static let threadsForDeliveries = max(1, min(4, ProcessInfo.processInfo.activeProcessorCount))

    /// Starts the threads.
    /// - Parameters:
    ///   - idleConnections: how many connections are kept open for reuse.
    ///   - threads: how many share the work of routes; everything else is one thread's.
    package init(idleConnections: Int = 256, threads: Int = 1) {
        inboxes = (0..<max(1, threads)).map { _ in Inbox() }
        for inbox in inboxes {
            let share = max(1, idleConnections / inboxes.count)
            let thread = Thread {
                TransferLoop(inbox: inbox, idleConnections: share).run()
            }
            thread.name = "millrace-http-out"
            thread.start()
        }
    }

    deinit {
        close()
    }

    /// Sends one request and returns the whole answer, whatever its status.
    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let inbox = inbox(for: request)
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
    /// - Parameter done: called exactly once with the whole answer, on a transfer thread, which must not be blocked; a
    ///   request of the same route begun from there needs no other thread.
    package func begin(
        _ request: OutboundRequest,
        _ done: @escaping @Sendable (Result<OutboundResponse, OutboundError>) -> Void
    ) {
        inbox(for: request).add(Transfer(request: request, done: done))
    }

    /// Fails what is under way and ends the threads; further requests fail with `.closed`.
    package func close() {
        for inbox in inboxes { inbox.close() }
    }

    /// What follows an answer stays on its thread, and so on its connection; else a route has its thread, and what is
    /// begun while it has others under way goes to the next ones in turn.
    private func inbox(for request: OutboundRequest) -> Inbox {
        guard inboxes.count > 1, let route = request.route else { return inboxes[0] }
        if let own = inboxes.first(where: \.isMine) { return own }
        return inboxes[(route.number + route.underWay.load(ordering: .relaxed)) % inboxes.count]
    }
}

typealias TransferResult = Result<OutboundResponse, OutboundError>

extension OutboundError {
    static let cancelled = OutboundError(.cancelled, cause: "the request was cancelled")
    static let closed = OutboundError(.closed, cause: "the HTTP client is closed")
}
