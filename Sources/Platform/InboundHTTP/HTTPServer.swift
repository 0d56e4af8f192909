import CMicroHTTPD
import Dispatch
import Glibc
import Synchronization

/// An HTTP/1.1 server over libmicrohttpd: a request comes in whole, goes to one closure, is answered.
///
///     socket ──▶ daemon's thread ──▶ Exchange (body, limit) ──▶ handler(request, responder)
///                      ▲                                             │ at once, or later from any thread
///                      └───── resume ◀── PendingAnswer ◀─────────────┘
///
/// - The handler runs on the daemon's thread and must not block. While an answer is outstanding the
///   connection is suspended: it costs memory and its place among `maxConnections`, but no thread, and no
///   timeout applies to it.
/// - A client that goes away while its connection is suspended is noticed when the answer is sent.
/// - A body over the limit is read to its end, within bounds, and answered with 413; beyond those bounds the
///   connection is closed. The library answers malformed requests itself.
/// - `HTTPServer` owns the daemon; callbacks reach `RequestIntake`, which outlives it, by an unretained
///   pointer.
///
/// - A stream (`Responder.stream`) is a suspended connection too while it has nothing to send. Its closed client is noticed when
///   something is written, so every stream wants a heartbeat.
///
/// To add a kind of answer: a case of `Answer`, a method of `Responder`, a branch of `RequestIntake.finish`.
package final class HTTPServer: Sendable {
    /// Where to listen and what to bear.
    package struct Configuration: Sendable {
        /// An address in numbers, v4 or v6, or a name of this machine.
        package var host: String
        /// 0 takes any free port.
        package var port: Int
        /// How many threads call the handler; requests of one connection never overlap.
        package var threads: Int
        /// A longer body is answered with `tooLarge`.
        package var maxBodyBytes: Int
        package var tooLarge = HTTPAnswer(status: 413)
        /// Further clients wait in the system's backlog.
        package var maxConnections: Int
        /// What one connection may hold for headers and for what is on its way out; a longer head is answered with 431.
        package var connectionBytes: Int
        /// Nil serves plain HTTP.
        package var tls: TLS?
        /// After this long without a byte from the client the connection is closed; whole seconds, 0 for
        /// never.
        package var idleTimeout: Duration

        package init(
            host: String = "127.0.0.1", port: Int = 0, threads: Int = 1, maxBodyBytes: Int = 1 << 20,
            maxConnections: Int = 1000, connectionBytes: Int = 32 << 10, tls: TLS? = nil,
            idleTimeout: Duration = .seconds(60)
        ) {
            (self.host, self.port, self.threads) = (host, port, threads)
            (self.maxBodyBytes, self.maxConnections) = (maxBodyBytes, maxConnections)
            (self.connectionBytes, self.tls) = (connectionBytes, tls)
            self.idleTimeout = idleTimeout
        }
    }

    /// The server's certificate (with its chain) and private key, both as PEM texts.
    package struct TLS: Sendable {
        let certificate: String
        let key: String

        package init(certificate: String, key: String) {
            (self.certificate, self.key) = (certificate, key)
        }
    }

    /// How long `stop()` waits for answers to be sent: a client on this machine needs milliseconds, and the
    /// process must not hang on one that does not read.
    private static let stopDeadline = DispatchTimeInterval.seconds(3)

    /// The port that is listened on.
    package let port: Int
    private let intake: RequestIntake
    private let daemon: Mutex<DaemonHandle?>

    /// Listens and serves from here on.
    /// - Parameter handler: called once a request, on a thread of the daemon; must not block and must not
    ///   call `stop()`.
    package init(
        _ configuration: Configuration, handler: @escaping @Sendable (InboundRequest, Responder) -> Void
    ) throws(InboundHTTPError) {
        let listener = try ListeningSocket(host: configuration.host, port: configuration.port)
        intake = RequestIntake(
            maxBodyBytes: configuration.maxBodyBytes, tooLarge: configuration.tooLarge, handler: handler)
        port = listener.port
        daemon = Mutex(try DaemonHandle(configuration, listener: listener, intake: intake))
    }

    deinit {
        stop()
    }

    /// Takes no new connection from here on; those that are open go on. Before `stop()`, for a server that drains.
    package func quiesce() {
        daemon.withLock { daemon in
            guard let handle = daemon, handle.listener == nil else { return }
            daemon?.listener = MHD_quiesce_daemon(handle.pointer)
        }
    }

    /// Answers what is outstanding with 503, sends what is answered, and closes every connection.
    ///
    /// Blocks until that is done, three seconds at most for clients that do not read. Further calls do
    /// nothing.
    package func stop() {
        let daemon = self.daemon.withLock { daemon in
            defer { daemon = nil }
            return daemon
        }
        guard let daemon else { return }
        let listener = daemon.listener ?? MHD_quiesce_daemon(daemon.pointer)
        intake.stop(deadline: .now() + Self.stopDeadline)
        MHD_stop_daemon(daemon.pointer)
        // The daemon's threads used the socket until they ended, so it is closed last.
        if listener >= 0 { close(listener) }
    }
}

/// A running daemon; ends in `HTTPServer.stop`.
private struct DaemonHandle: @unchecked Sendable {
    // libmicrohttpd synchronizes a daemon with internal threads itself; MHD_quiesce_daemon and
    // MHD_stop_daemon may be called from any thread that is not one of its own, and we call each once.
    let pointer: OpaquePointer
    /// Once new connections are not taken any more: the socket to close at the end.
    var listener: Int32?

    init(
        _ configuration: HTTPServer.Configuration, listener: ListeningSocket, intake: RequestIntake
    ) throws(InboundHTTPError) {
        var flags = MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
        if listener.isIPv6 { flags |= MHD_USE_IPv6.rawValue }
        if configuration.tls != nil { flags |= MHD_USE_TLS.rawValue }
        let idleSeconds = max(0, min(configuration.idleTimeout.components.seconds, 86_400))
        // Unretained: the server keeps the intake, and `stop` joins the daemon's threads before the server
        // lets go.
        let context = Unmanaged.passUnretained(intake).toOpaque()
        let daemon = millrace_mhd_start(
            flags, listener.descriptor, UInt32(max(configuration.threads, configuration.maxConnections)),
            UInt32(idleSeconds), UInt32(max(1, configuration.threads)), configuration.connectionBytes,
            configuration.tls?.certificate, configuration.tls?.key, serve, begin, complete, context)
        guard let daemon else {
            if configuration.tls != nil {
                throw InboundHTTPError(
                    .certificate, doing: "start the server on port \(listener.port)",
                    cause: "the certificate and its key are not PEM texts that fit together")
            }
            // The library may have closed the socket already: a leak at a failed start is harmless, closing a
            // descriptor that is somebody else's by now is not.
            throw InboundHTTPError(
                .notStarted, doing: "start the server on port \(listener.port)", cause: "the library refused")
        }
        pointer = daemon
    }
}

/// A new request: its exchange is retained here and released in `complete`, which the library always calls.
private let begin:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
        UnsafeMutableRawPointer? = {
            _, target, _ in
            Unmanaged.passRetained(Exchange(target: target.map { String(cString: $0) } ?? "/")).toOpaque()
        }

private let serve: MHD_AccessHandlerCallback = { context, connection, _, method, _, piece, size, slot in
    guard let context, let connection, let method, let size, let exchange = slot?.pointee else {
        return .NO
    }
    return Unmanaged<RequestIntake>.fromOpaque(context).takeUnretainedValue().serve(
        Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue(), on: connection,
        method: String(cString: method), piece: piece, size: &size.pointee)
}

private let complete: MHD_RequestCompletedCallback = { context, _, slot, _ in
    guard let context, let exchange = slot?.pointee else { return }
    slot?.pointee = nil
    let intake = Unmanaged<RequestIntake>.fromOpaque(context).takeUnretainedValue()
    intake.completed(Unmanaged<Exchange>.fromOpaque(exchange).takeRetainedValue())
}
