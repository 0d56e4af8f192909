import InboundHTTP
import OutboundHTTP
import Synchronization

/// A real server on this machine and a client to talk to it; both end with the test.
final class Loopback: Sendable {
    let client = HTTPClient()
    private let server: HTTPServer

    init(
        _ configuration: HTTPServer.Configuration = .init(),
        handler: @escaping @Sendable (InboundRequest, Responder) -> Void
    ) throws {
        server = try HTTPServer(configuration, handler: handler)
    }

    deinit {
        client.close()
        server.stop()
    }

    var port: Int { server.port }

    func url(_ path: String = "/") -> String {
        "http://127.0.0.1:\(server.port)\(path)"
    }

    func request(
        _ method: OutboundRequest.Method = .get, _ path: String = "/", timeout: Duration = .seconds(30),
        maxResponseBytes: Int = 1 << 20
    ) -> OutboundRequest {
        OutboundRequest(method, url(path), timeout: timeout, maxResponseBytes: maxResponseBytes)
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        try await client.send(request)
    }

    /// The kind of error a request fails with; nil when it was answered.
    func failure(_ request: OutboundRequest) async -> OutboundError.Kind? {
        do throws(OutboundError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error.kind
        }
    }
}

/// Keeps responders without answering, and tells who waits that a request has come.
final class Shelf: Sendable {
    private let responders = Mutex<[Responder]>([])
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    init() {
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    func keep(_ responder: Responder) {
        responders.withLock { $0.append(responder) }
        arrived.yield()
    }

    func nextArrival() async {
        for await _ in arrivals { return }
    }
}
