import Dispatch
import InboundHTTP
import Synchronization

/// The listening server and the requests that wait for their task.
final class Door: Sendable {
    struct Visit: Sendable {
        let request: InboundRequest
        let responder: Responder
    }

    /// Requests beyond this many that wait for a task are answered with 503.
    private static let waiting = 4096

    let visits: AsyncStream<Visit>
    private let arrivals: AsyncStream<Visit>.Continuation
    private let server = Mutex<HTTPServer?>(nil)

    init() {
        (visits, arrivals) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waiting))
    }

    var port: Int? { server.withLock { $0?.port } }

    func open(_ configuration: HTTPServer.Configuration) throws(InboundHTTPError) {
        let arrivals = self.arrivals
        let made = try HTTPServer(configuration) { request, responder in
            switch arrivals.yield(Visit(request: request, responder: responder)) {
            case .enqueued: break
            default:
                responder.answer(
                    HTTPAnswer(status: 503, headers: ["Retry-After": "1", "Connection": "close"]))
            }
        }
        server.withLock { $0 = made }
    }

    /// Nobody comes in any more.
    func close() {
        server.withLock { $0 }?.quiesce()
        arrivals.finish()
    }

    /// Sends what is answered and closes every connection. Blocks a thread of its own, not a cooperative one.
    func shut() async {
        guard let server = server.withLock({ $0 }) else { return }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                server.stop()
                continuation.resume()
            }
        }
    }
}
