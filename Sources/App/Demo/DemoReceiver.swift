import InboundHTTP
import Signing

/// A webhook receiver as a user would write one: verifies the signature, then takes the event.
struct DemoReceiver {
    private let server: HTTPServer

    init(secret: String, arrivals: Arrivals) throws(InboundHTTPError) {
        server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            guard Self.isSigned(request, secret) else {
                arrivals.refusedAtWebhook()
                return responder.answer(HTTPAnswer(status: 401))
            }
            arrivals.atWebhook(request.body)
            responder.answer(HTTPAnswer(status: 204))
        }
    }

    var url: String { "http://127.0.0.1:\(server.port)/hook" }

    func stop() {
        server.stop()
    }

    private static func isSigned(_ request: InboundRequest, _ secret: String) -> Bool {
        guard let signer = WebhookSigner(secret: secret), let id = request.headers["webhook-id"],
            let timestamp = request.headers["webhook-timestamp"].flatMap(Int64.init),
            let signature = request.headers["webhook-signature"]
        else { return false }
        return signer.verifies(signature, id: id, timestamp: timestamp, body: request.body)
    }
}
