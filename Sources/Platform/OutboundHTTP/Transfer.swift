import CCurl
import Synchronization

/// One request on its way, with what has come back so far. After `add` it belongs to the transfer thread alone.
final class Transfer: @unchecked Sendable {
    // Handed over once through the inbox's lock and then touched by the transfer thread only: libcurl calls the
    // callbacks of a handle on the thread that drives it (libcurl-thread(3)).
    /// By which it can be cancelled.
    let ticket: Int?
    let request: OutboundRequest
    private var head: [UInt8] = []
    /// Whether the empty line that ends a head has come: libcurl takes a connection that closes before it for a whole answer.
    private var isHeadWhole = false
    private(set) var body: [UInt8] = []
    private(set) var isOverflowing = false
    private var refusal: String?
    private var done: (@Sendable (TransferResult) -> Void)?

    init(ticket: Int? = nil, request: OutboundRequest, done: @escaping @Sendable (TransferResult) -> Void) {
        (self.ticket, self.request, self.done) = (ticket, request, done)
        request.route?.underWay.add(1, ordering: .relaxed)
    }

    /// Answers who waits for it; later calls do nothing.
    func finish(_ result: TransferResult) {
        guard let done else { return }
        self.done = nil
        request.route?.underWay.subtract(1, ordering: .relaxed)
        done(result)
    }

    /// The result of a transfer that libcurl has ended.
    /// - Parameter detail: libcurl's sentence about it; may be empty.
    func result(_ code: CURLcode, status: Int, detail: UnsafePointer<CChar>) -> TransferResult {
        let hasEnoughBody = isOverflowing && request.overflow == .cut
        guard code == CURLE_OK || hasEnoughBody else { return .failure(error(code, String(cString: detail))) }
        guard isHeadWhole else {
            return .failure(
                OutboundError(.broken, cause: "the connection was closed within the answer's head"))
        }
        return .success(OutboundResponse(status: status, rawHead: head, body: body))
    }

    /// Whether addresses that are not public are refused. Behind a proxy it is the proxy that connects.
    var isGuarded: Bool { !request.allowsPrivateAddresses && request.proxy == nil }

    /// An address of the host was one that must not be connected to; another of its addresses may still do.
    func refusedAddress(_ kind: String) {
        refusal = kind
    }

    /// Takes a piece of the body; false ends the transfer.
    func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let room = request.maxResponseBytes - body.count
        if bytes.count > room {
            isOverflowing = true
            if request.overflow == .cut { body.append(contentsOf: bytes.prefix(room)) }
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    /// Takes one header line; a status line begins a new answer (after an interim 1xx one).
    func receivedHeader(_ line: UnsafeRawBufferPointer) {
        // Trailers come this way too, behind a head that stays whole.
        if line.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) { isHeadWhole = true }
        if line.starts(with: "HTTP/".utf8) {
            isHeadWhole = false
            head.removeAll(keepingCapacity: true)
        } else if head.count + line.count <= ResponseHead.maxBytes {
            head.append(contentsOf: line)
        }
    }

    private func error(_ code: CURLcode, _ detail: String) -> OutboundError {
        if isOverflowing {
            return OutboundError(
                .tooLarge, cause: "the reply is longer than \(request.maxResponseBytes) bytes")
        }
        if let refusal, code == CURLE_COULDNT_CONNECT {
            return OutboundError(.refusedAddress, cause: "refused address: it is \(refusal)")
        }
        let cause = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        return OutboundError(Self.kind(code), cause: cause)
    }

    private static func kind(_ code: CURLcode) -> OutboundError.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT: .connect
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER:
            .tls
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
            CURLE_WEIRD_SERVER_REPLY,
            CURLE_HTTP2, CURLE_HTTP2_STREAM:
            .broken
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .unusable
        default: .other(Int(code.rawValue))
        }
    }
}
