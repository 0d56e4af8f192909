import Dispatch
import InboundHTTP
import Synchronization
import TestSupport
import Testing

/// Real: the server, its threads, sockets on loopback. Observed: bytes on the wire.
@Suite(.timeLimit(.minutes(1)))
struct HTTPServerTests {
    /// Answers with what it got, in lines.
    private static let echo: @Sendable (InboundRequest, Responder) -> Void = { request, responder in
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        let lines = [
            request.method, request.path, query, request.headers["x-test"] ?? "-", request.remoteAddress,
        ]
        responder.answer(
            HTTPAnswer(
                status: 200, headers: ["X-Echo": "yes"],
                body: Array(lines.joined(separator: "\n").utf8) + [0] + request.body))
    }

    @Test func aRequestComesInWholeAndItsAnswerGoesOut() throws {
        let server = try HTTPServer(.init(), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send(
            "POST /a%20b/%C3%A9?x=1+2&y=%26&z HTTP/1.1\r\nHost: h\r\nX-TEST: one\r\n"
                + "Content-Length: 5\r\n\r\nhello"
        )
        let reply = try #require(try client.reply())
        #expect(reply.status == 200)
        #expect(reply.headers["x-echo"] == "yes")
        #expect(reply.headers["date"] != nil)
        #expect(
            String(decoding: reply.body, as: UTF8.self) == "POST\n/a b/é\nx=1 2;y=&;z=\none\n127.0.0.1\0hello"
        )
    }

    @Test func aConnectionCarriesManyRequests() throws {
        let server = try HTTPServer(.init(threads: 2), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        for number in 0..<50 {
            try client.send("GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            let reply = try #require(try client.reply())
            #expect(String(decoding: reply.body, as: UTF8.self).hasPrefix("GET\n/\(number)\n"))
        }
    }

    @Test func aChunkedBodyIsPutTogether() throws {
        let server = try HTTPServer(.init(), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        let reply = try #require(try client.reply())
        #expect(reply.body.suffix(6) == [0] + Array("abcde".utf8))
    }

    @Test(arguments: [1001, 3_000_000])
    func aBodyOverTheLimitIsReadAndAnsweredWith413(size: Int) throws {
        let server = try HTTPServer(.init(maxBodyBytes: 1000), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
        try client.send([UInt8](repeating: 7, count: size))
        #expect(try client.reply()?.status == 413)
        try client.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 200)
    }

    @Test func aBodyOfExactlyTheLimitIsTaken() throws {
        let server = try HTTPServer(.init(maxBodyBytes: 1000), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
        try client.send([UInt8](repeating: 7, count: 1000))
        #expect(try client.reply()?.status == 200)
    }

    @Test func aClientThatAsksBeforeItSendsIsRefusedAtOnce() throws {
        let server = try HTTPServer(.init(maxBodyBytes: 1000), handler: Self.echo)
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
        #expect(try client.reply()?.status == 413)
    }

    @Test func aDropClosesTheConnectionWithoutAnAnswer() throws {
        let server = try HTTPServer(.init()) { _, responder in responder.drop() }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply() == nil)
    }

    @Test func anAnswerMayComeLaterFromAnotherThread() throws {
        let queue = DispatchQueue(label: "late", attributes: .concurrent)
        let server = try HTTPServer(.init()) { request, responder in
            queue.async { Self.echo(request, responder) }
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        // Many times, so that the answer now and then overtakes the suspending of its connection.
        for number in 0..<300 {
            try client.send("GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            let reply = try #require(try client.reply())
            #expect(String(decoding: reply.body, as: UTF8.self).hasPrefix("GET\n/\(number)\n"))
        }
    }

    @Test func aDropMayComeLaterToo() throws {
        let server = try HTTPServer(.init()) { _, responder in
            DispatchQueue.global().async { responder.drop() }
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply() == nil)
    }

    @Test func anOutstandingAnswerHoldsUpNobodyElse() throws {
        let kept = Mutex<[Responder]>([])
        let server = try HTTPServer(.init()) { request, responder in
            if request.path == "/wait" { return kept.withLock { $0.append(responder) } }
            Self.echo(request, responder)
        }
        defer { server.stop() }
        var waiting = try LoopbackClient(port: server.port)
        try waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        var other = try LoopbackClient(port: server.port)
        try other.send("GET /now HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try other.reply()?.status == 200)
        server.stop()
        #expect(try waiting.reply()?.status == 503)
        kept.withLock { $0.forEach { $0.answer(HTTPAnswer(status: 200)) } }
    }

    @Test func aResponderReleasedWithoutAnAnswerAnswers500() throws {
        let server = try HTTPServer(.init()) { _, _ in }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 500)
    }

    @Test func aClientThatLeavesBeforeItsAnswerHarmsNobody() throws {
        let kept = Mutex<[Responder]>([])
        let arrived = DispatchSemaphore(value: 0)
        let server = try HTTPServer(.init()) { request, responder in
            guard request.path == "/leave" else { return Self.echo(request, responder) }
            kept.withLock { $0.append(responder) }
            arrived.signal()
        }
        defer { server.stop() }
        for _ in 0..<3 {
            do {
                let leaving = try LoopbackClient(port: server.port)
                try leaving.send("GET /leave HTTP/1.1\r\nHost: h\r\n\r\n")
                arrived.wait()
            }
            let large = HTTPAnswer(status: 200, body: [UInt8](repeating: 7, count: 1 << 20))
            kept.withLock { $0.removeLast() }.answer(large)
        }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET /stay HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 200)
    }

    @Test func onlyTheFirstAnswerCounts() throws {
        let server = try HTTPServer(.init()) { _, responder in
            responder.answer(HTTPAnswer(status: 201))
            responder.answer(HTTPAnswer(status: 202))
            responder.drop()
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        for _ in 0..<2 {
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.reply()?.status == 201)
        }
    }

    @Test(arguments: [
        HTTPAnswer(status: 200, headers: ["X-Split": "a\r\nX-Other: b"]), HTTPAnswer(status: 999),
    ])
    func anAnswerThatIsNotHTTPBecomes500(response: HTTPAnswer) throws {
        let server = try HTTPServer(.init()) { _, responder in responder.answer(response) }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.reply()?.status == 500)
    }
}
