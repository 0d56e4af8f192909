import Dispatch
import Foundation
import InboundHTTP
import Signing
import Synchronization

/// A webhook receiver as a user would write one: verifies the signature, notes the delivery, answers as it is told to.
final class VerifyingReceiver: Sendable {
    struct Delivery: Sendable {
        let id: String
        let timestamp: String
        let isSigned: Bool
        let headers: [(name: String, value: String)]
        let body: [UInt8]
        /// Nil when it was left without an answer.
        let status: Int?
        let at: ContinuousClock.Instant

        var isAccepted: Bool { status == 204 }
    }

    static let secret = "whsec_" + Data((0..<32).map { UInt8($0 * 7 + 1) }).base64EncodedString()

    private let book: DeliveryBook
    private let server: HTTPServer

    /// - Parameters:
    ///   - delay: from the request to its answer.
    ///   - answer: the status of an attempt, by how many of the same id came before it; nil leaves it hanging.
    init(delay: Duration = .zero, answer: @escaping @Sendable (_ earlier: Int) -> Int? = { _ in 204 }) throws
    {
        let book = DeliveryBook(delay, answer)
        server = try HTTPServer(HTTPServer.Configuration()) { book.receive($0, $1) }
        self.book = book
    }

    deinit {
        server.stop()
    }

    var url: String { "http://127.0.0.1:\(server.port)/hook" }
    var deliveries: [Delivery] { book.deliveries }
    /// What was taken, by id; an id that came again must have come with the same bytes.
    var accepted: [String: [Delivery]] { Dictionary(grouping: deliveries.filter(\.isAccepted), by: \.id) }
}

private final class DeliveryBook: Sendable {
    private struct State {
        var deliveries: [VerifyingReceiver.Delivery] = []
        var attempts: [String: Int] = [:]
        /// Kept so that their connections stay open.
        var hanging: [Responder] = []
    }

    private let state = Mutex(State())
    private let delay: Duration
    private let answer: @Sendable (Int) -> Int?

    init(_ delay: Duration, _ answer: @escaping @Sendable (Int) -> Int?) {
        (self.delay, self.answer) = (delay, answer)
    }

    var deliveries: [VerifyingReceiver.Delivery] { state.withLock { $0.deliveries } }

    func receive(_ request: InboundRequest, _ responder: Responder) {
        let id = request.headers["webhook-id"] ?? ""
        let timestamp = request.headers["webhook-timestamp"] ?? ""
        let isSigned = Self.isSigned(request, id: id, timestamp: timestamp)
        let status: Int? = state.withLock { state in
            let earlier = state.attempts[id, default: 0]
            state.attempts[id] = earlier + 1
            let status = isSigned ? answer(earlier) : 401
            state.deliveries.append(
                VerifyingReceiver.Delivery(
                    id: id, timestamp: timestamp, isSigned: isSigned, headers: request.headers.fields,
                    body: request.body, status: status, at: .now))
            if status == nil { state.hanging.append(responder) }
            return status
        }
        guard let status else { return }
        // Never on the server's thread, which must not wait.
        let due = DispatchTime.now() + .milliseconds(Int(delay / .milliseconds(1)))
        DispatchQueue.global().asyncAfter(deadline: due) { responder.answer(HTTPAnswer(status: status)) }
    }

    private static func isSigned(_ request: InboundRequest, id: String, timestamp: String) -> Bool {
        guard let signer = WebhookSigner(secret: VerifyingReceiver.secret), let time = Int64(timestamp),
            let signature = request.headers["webhook-signature"]
        else { return false }
        return signer.verifies(signature, id: id, timestamp: time, body: request.body)
    }
}
