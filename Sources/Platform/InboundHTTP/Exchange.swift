import CMicroHTTPD

/// One request as it comes in, piece by piece. Belongs to the daemon's thread; the library keeps it by its
/// address.
final class Exchange {
    /// How far the exchange has come.
    enum Stage {
        case begun
        case receiving
        case handedOver(PendingAnswer)
        case answered
    }

    var stage = Stage.begun
    /// The answer's body, while it is still being made.
    var stream: OutgoingStream?
    private let target: String
    private var method = ""
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private var received = 0

    init(target: String) {
        self.target = target
    }

    /// Takes what is known once the headers are here.
    func opened(method: String, headers: HTTPHeaders) {
        (self.method, self.headers) = (method, headers)
    }

    var declaredLength: Int {
        headers["content-length"].flatMap { Int($0) } ?? 0
    }

    /// Whether the client waits for our word before it sends its body.
    var waitsToSend: Bool { headers["expect"] != nil }

    /// Keeps a piece of the body; of a body over the limit only its length is kept.
    func receive(_ bytes: UnsafeRawBufferPointer, limit: Int) {
        received += bytes.count
        if received <= limit { body.append(contentsOf: bytes) } else { body = [] }
    }

    func hasReceived(moreThan count: Int) -> Bool { received > count }

    /// The complete request; the body moves out, since nobody asks twice.
    func request(remoteAddress: String) -> InboundRequest {
        defer { body = [] }
        return InboundRequest(
            method: method, target: target, headers: headers, body: body, remoteAddress: remoteAddress)
    }
}
