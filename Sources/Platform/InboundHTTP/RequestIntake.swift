import CMicroHTTPD
import Dispatch
import Synchronization

/// What the library's callbacks reach: takes requests in, hands them over, sends the answers.
///
/// Everything but `stop` runs on the daemon's threads, one connection always on the same one.
final class RequestIntake: Sendable {
    private struct Outstanding {
        var isStopping = false
        var answers: [ObjectIdentifier: PendingAnswer] = [:]
        var streams: [ObjectIdentifier: OutgoingStream] = [:]
    }

    /// How much of a body over the limit is read and thrown away. Less, and a client that is still sending
    /// gets a reset connection instead of the 413; more, and a wrong client keeps us busy.
    private static let drainedBytes = 8 << 20

    private let maxBodyBytes: Int
    private let tooLarge: HTTPAnswer
    private let handler: @Sendable (InboundRequest, Responder) -> Void
    private let outstanding = Mutex(Outstanding())
    private let resuming = DispatchGroup()
    /// One entry for each request that was handed over and whose answer is not yet sent.
    private let unsent = DispatchGroup()

    init(
        maxBodyBytes: Int, tooLarge: HTTPAnswer,
        handler: @escaping @Sendable (InboundRequest, Responder) -> Void
    ) {
        (self.maxBodyBytes, self.tooLarge, self.handler) = (maxBodyBytes, tooLarge, handler)
    }

    /// One call of the library's access handler; `size` is the piece's length and is set to what was left
    /// over.
    func serve(
        _ exchange: Exchange, on connection: OpaquePointer, method: String, piece: UnsafePointer<CChar>?,
        size: inout Int
    ) -> MHD_Result {
        switch exchange.stage {
        case .begun:
            return open(exchange, on: connection, method: method)
        case .receiving where size > 0:
            exchange.receive(UnsafeRawBufferPointer(start: piece, count: size), limit: maxBodyBytes)
            size = 0
            // The library takes no answer in the middle of a body.
            return exchange.hasReceived(moreThan: maxBodyBytes + Self.drainedBytes) ? .NO : .YES
        case .receiving where exchange.hasReceived(moreThan: maxBodyBytes):
            return send(tooLarge, of: exchange, on: connection)
        case .receiving:
            return handOver(exchange, on: connection)
        case .handedOver(let pending):
            return finish(pending, of: exchange, on: connection)
        case .answered:
            return .YES
        }
    }

    /// The library is done with the request, whether it was answered or broken off.
    func completed(_ exchange: Exchange) {
        let known = outstanding.withLock { outstanding in
            outstanding.streams[ObjectIdentifier(exchange)] = nil
            return outstanding.answers.removeValue(forKey: ObjectIdentifier(exchange))
        }
        exchange.stream?.closed()
        if known != nil { unsent.leave() }
    }

    /// Answers everything that waits with 503, ends every stream, and waits until that is sent, at most until the
    /// deadline.
    func stop(deadline: DispatchTime) {
        let (waiting, streams) = outstanding.withLock { outstanding in
            outstanding.isStopping = true
            return (Array(outstanding.answers.values), Array(outstanding.streams.values))
        }
        for pending in waiting { pending.settle(.response(Self.stopping)) }
        for stream in streams { stream.finish() }
        // From here on nothing resumes any more: every answer is settled.
        resuming.wait()
        // What a slow client has not read by then is cut off.
        _ = unsent.wait(timeout: deadline)
    }

    private func open(_ exchange: Exchange, on connection: OpaquePointer, method: String) -> MHD_Result {
        exchange.opened(method: method, headers: readHeaders(of: connection))
        let length = exchange.declaredLength
        let isHopeless = length - maxBodyBytes > (exchange.waitsToSend ? 0 : Self.drainedBytes)
        if isHopeless { return send(tooLarge, of: exchange, on: connection) }
        exchange.stage = .receiving
        return .YES
    }

    private func handOver(_ exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        let pending = PendingAnswer(resuming: resuming)
        let isAdmitted = outstanding.withLock { outstanding in
            guard !outstanding.isStopping else { return false }
            outstanding.answers[ObjectIdentifier(exchange)] = pending
            unsent.enter()
            return true
        }
        guard isAdmitted else { return send(Self.stopping, of: exchange, on: connection) }
        exchange.stage = .handedOver(pending)
        let request = exchange.request(remoteAddress: numericAddress(millrace_mhd_client_address(connection)))
        handler(request, Responder(pending))
        return finish(pending, of: exchange, on: connection)
    }

    /// Sends the answer if it is there, else lets the connection sleep until it is.
    private func finish(
        _ pending: PendingAnswer, of exchange: Exchange, on connection: OpaquePointer
    ) -> MHD_Result {
        switch pending.take() {
        case .response(let response):
            return send(response, of: exchange, on: connection)
        case .stream(let head, let stream):
            return begin(stream, head, of: exchange, on: connection)
        case .drop:
            return .NO
        case nil:
            MHD_suspend_connection(connection)
            pending.suspended(ConnectionHandle(pointer: connection))
            return .YES
        }
    }

    private func begin(
        _ stream: OutgoingStream, _ head: HTTPAnswer, of exchange: Exchange, on connection: OpaquePointer
    ) -> MHD_Result {
        guard let result = queue(stream, head, on: connection) else {
            stream.closed()
            return send(HTTPAnswer(status: 500), of: exchange, on: connection)
        }
        (exchange.stage, exchange.stream) = (.answered, stream)
        let isStopping = outstanding.withLock { outstanding in
            outstanding.streams[ObjectIdentifier(exchange)] = stream
            return outstanding.isStopping
        }
        // Nobody else would end a stream that began while the server was being stopped.
        if isStopping { stream.finish() }
        return result
    }

    private func send(
        _ response: HTTPAnswer, of exchange: Exchange, on connection: OpaquePointer
    ) -> MHD_Result {
        exchange.stage = .answered
        if let result = queue(response, on: connection) { return result }
        return queue(HTTPAnswer(status: 500), on: connection) ?? .NO
    }

    private static let stopping = HTTPAnswer(status: 503, headers: ["Connection": "close"])
}
