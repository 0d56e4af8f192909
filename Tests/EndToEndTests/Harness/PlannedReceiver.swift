import Foundation
import InboundHTTP
import Signing
import Synchronization

/// A receiver that answers by plan, counting all requests together. Writes down what came and how it answered.
final class PlannedReceiver: Sendable {
    enum Reply: Sendable {
        case status(Int)
        case answer(HTTPAnswer)
        case hang
        case drop
    }

    struct Request: Sendable {
        let method: String
        let id: String
        let headers: HTTPHeaders
        let body: [UInt8]
        let isSigned: Bool
        /// Nil when there was no answer.
        let status: Int?
        let at: ContinuousClock.Instant
    }

    private struct State {
        var requests: [Request] = []
        /// Kept so that their connections stay open.
        var hanging: [Responder] = []
    }

    private let state: Holder
    private let server: HTTPServer

    private final class Holder: Sendable {
        let state = Mutex(State())
    }

    /// - Parameter plan: the answer to a request and its number, from 1.
    init(_ plan: @escaping @Sendable (InboundRequest, Int) -> Reply) throws {
        let holder = Holder()
        server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            Self.receive(request, responder, holder, plan)
        }
        state = holder
    }

    deinit {
        server.stop()
    }

    var url: String { "http://127.0.0.1:\(server.port)/hook" }
    var requests: [Request] { state.state.withLock { $0.requests } }

    private static func receive(
        _ request: InboundRequest, _ responder: Responder, _ holder: Holder,
        _ plan: @Sendable (InboundRequest, Int) -> Reply
    ) {
        let reply = holder.state.withLock { state in
            let reply = plan(request, state.requests.count + 1)
            let status: Int? =
                switch reply {
                case .status(let status): status
                case .answer(let answer): answer.status
                case .hang, .drop: nil
                }
            state.requests.append(
                Request(
                    method: request.method, id: request.headers["webhook-id"] ?? "",
                    headers: request.headers, body: request.body, isSigned: isSigned(request), status: status,
                    at: .now))
            if case .hang = reply { state.hanging.append(responder) }
            return reply
        }
        switch reply {
        case .status(let status): responder.answer(HTTPAnswer(status: status))
        case .answer(let answer): responder.answer(answer)
        case .hang: break
        case .drop: responder.drop()
        }
    }

    private static func isSigned(_ request: InboundRequest) -> Bool {
        guard let signer = WebhookSigner(secret: VerifyingReceiver.secret),
            let id = request.headers["webhook-id"],
            let time = request.headers["webhook-timestamp"].flatMap(Int64.init),
            let signature = request.headers["webhook-signature"]
        else { return false }
        return signer.verifies(signature, id: id, timestamp: time, body: request.body)
    }
}
