import Dispatch
import InboundHTTP
import Synchronization
import TestSupport
import Testing

/// Starting and stopping. Real: the server, its threads, sockets on loopback.
@Suite(.timeLimit(.minutes(1)))
struct ServerLifeTests {
    private static let ok: @Sendable (InboundRequest, Responder) -> Void = { _, responder in
        responder.answer(HTTPAnswer(status: 200))
    }

    @Test func stoppingAnswersWhatIsOutstandingWith503AndCloses() throws {
        let arrived = DispatchSemaphore(value: 0)
        let kept = Mutex<[Responder]>([])
        let server = try HTTPServer(.init()) { _, responder in
            kept.withLock { $0.append(responder) }
            arrived.signal()
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        arrived.wait()
        server.stop()
        #expect(try client.reply()?.status == 503)
        #expect(try client.isClosed())
        for responder in kept.withLock({ $0 }) { responder.answer(HTTPAnswer(status: 200)) }
    }

    @Test func stoppingTwiceIsStoppingOnce() throws {
        let server = try HTTPServer(.init(), handler: Self.ok)
        defer { server.stop() }
        server.stop()
        server.stop()
        #expect(throws: (any Error).self) { _ = try LoopbackClient(port: server.port) }
    }

    @Test func stoppingWhileAnswersComeFromOtherThreadsIsSafe() throws {
        for _ in 0..<30 {
            let server = try HTTPServer(.init()) { _, responder in
                DispatchQueue.global().async { responder.answer(HTTPAnswer(status: 200)) }
            }
            defer { server.stop() }
            var client = try LoopbackClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            server.stop()
            // Answered, refused, or closed before it was read: all are fine, a trap is not.
            let status = try client.reply()?.status
            #expect([200, 503, nil].contains(status))
        }
    }

    @Test func stoppingClosesIdleConnections() throws {
        let server = try HTTPServer(.init(), handler: Self.ok)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 200)
        server.stop()
        #expect(try client.isClosed())
    }

    @Test func aPortInUseIsSaidSo() throws {
        let server = try HTTPServer(.init(), handler: Self.ok)
        defer { server.stop() }
        let error = #expect(throws: InboundHTTPError.self) {
            _ = try HTTPServer(.init(port: server.port), handler: Self.ok)
        }
        #expect(error?.kind == .addressInUse)
        #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
    }

    @Test(arguments: ["192.0.2.1", "no such host"])
    func anAddressOfAnotherMachineIsSaidSo(host: String) {
        let error = #expect(throws: InboundHTTPError.self) {
            _ = try HTTPServer(.init(host: host), handler: Self.ok)
        }
        #expect(error?.kind == .addressUnknown)
    }

    @Test func theLoopbackOfVersion6IsServedWhereThereIsOne() throws {
        let server: HTTPServer
        do {
            server = try HTTPServer(.init(host: "::1")) { request, responder in
                responder.answer(HTTPAnswer(status: 200, body: Array(request.remoteAddress.utf8)))
            }
        } catch {
            #expect(error.kind == .addressUnknown)
            return
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port, isIPv6: true)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        let reply = try #require(try client.reply())
        #expect(String(decoding: reply.body, as: UTF8.self) == "::1")
    }

    @Test func everyAddressOfTheMachineIsServed() throws {
        let server = try HTTPServer(.init(host: "0.0.0.0"), handler: Self.ok)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 200)
    }
}
