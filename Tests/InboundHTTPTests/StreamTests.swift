import Dispatch
import InboundHTTP
import Synchronization
import TestSupport
import Testing

/// Answers whose body is made while it is sent. Real: the server, its threads, sockets on loopback.
@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    /// A server whose every answer is a stream, and the streams it began.
    private final class Streaming: Sendable {
        private let begun = Mutex<[OutgoingStream]>([])
        private let arrived = DispatchSemaphore(value: 0)
        let capacity: Int

        init(capacity: Int = 1 << 16) {
            self.capacity = capacity
        }

        func serve() throws -> HTTPServer {
            try HTTPServer(.init(threads: 2)) { _, responder in
                let head = HTTPAnswer(status: 200, headers: ["Content-Type": "text/plain"])
                guard let stream = responder.stream(head, capacity: self.capacity) else { return }
                self.begun.withLock { $0.append(stream) }
                self.arrived.signal()
            }
        }

        /// The stream of the next request.
        func next() -> OutgoingStream {
            arrived.wait()
            return begun.withLock { $0.removeFirst() }
        }
    }

    private func client(_ server: HTTPServer) throws -> LoopbackClient {
        let client = try LoopbackClient(port: server.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        return client
    }

    @Test func piecesArriveAsTheyAreSentAndTheEndIsMarked() throws {
        let streaming = Streaming()
        let server = try streaming.serve()
        defer { server.stop() }
        var client = try client(server)
        let stream = streaming.next()
        for number in 0..<200 {
            #expect(stream.send(Array("piece \(number);".utf8)) == .taken)
            #expect(try client.text(until: "piece \(number);") != nil)
        }
        stream.finish(Array("the end".utf8))
        #expect(try client.text(until: "the end\r\n0\r\n\r\n") != nil)
        #expect(stream.send([1]) == .closed)
    }

    @Test func theConnectionServesAgainAfterAStream() throws {
        let streaming = Streaming()
        let server = try streaming.serve()
        defer { server.stop() }
        var client = try client(server)
        for _ in 0..<3 {
            streaming.next().finish(Array("x".utf8))
            #expect(try client.text(until: "x\r\n0\r\n\r\n") != nil)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        streaming.next().finish()
    }

    @Test func aReaderThatDoesNotReadFillsItsBufferAndNoMore() async throws {
        let streaming = Streaming(capacity: 100_000)
        let server = try streaming.serve()
        defer { server.stop() }
        var client = try client(server)
        let stream = streaming.next()
        let piece = [UInt8](repeating: 7, count: 10_000)
        var sent = 0
        // The system's own buffers take some megabytes before ours fills.
        while stream.send(piece) == .taken { sent += piece.count }
        #expect(stream.send(piece) == .full)
        // What was taken arrives whole once the client reads.
        stream.finish()
        #expect(try client.text(until: "\r\n\r\n") != nil)
        #expect(try client.bytes(sent) == sent)
        await stream.drained()
    }

    @Test func aClientThatLeavesIsNoticedWhenSomethingIsWritten() async throws {
        let streaming = Streaming()
        let server = try streaming.serve()
        defer { server.stop() }
        let stream: OutgoingStream
        do {
            var client = try client(server)
            stream = streaming.next()
            _ = stream.send([65])
            _ = try client.text(until: "A")
        }
        while stream.send([66]) != .closed { await stream.drained() }
        #expect(stream.isClosed)
    }

    @Test func stoppingEndsEveryStream() throws {
        let streaming = Streaming()
        let server = try streaming.serve()
        var first = try client(server)
        var second = try client(server)
        let streams = [streaming.next(), streaming.next()]
        server.stop()
        #expect(try first.text(until: "0\r\n\r\n") != nil)
        #expect(try second.text(until: "0\r\n\r\n") != nil)
        for stream in streams { #expect(stream.send([1]) == .closed) }
    }

    @Test func aStreamToAnAnsweredRequestIsNone() throws {
        let server = try HTTPServer(.init()) { _, responder in
            responder.answer(HTTPAnswer(status: 204))
            #expect(responder.stream(HTTPAnswer(status: 200), capacity: 10) == nil)
        }
        defer { server.stop() }
        var client = try client(server)
        #expect(try client.reply()?.status == 204)
    }

    @Test func aLongBodyGoesOutWhole() throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let server = try HTTPServer(.init()) { _, responder in
            responder.answer(HTTPAnswer(status: 200, body: body))
        }
        defer { server.stop() }
        var client = try client(server)
        let reply = try #require(try client.reply())
        #expect(reply.headers["content-length"] == "3000000")
        #expect(reply.body == body)
    }

    @Test func aHeadThatIsTooLongIsRefused() throws {
        let server = try HTTPServer(.init(connectionBytes: 8192)) { _, responder in
            responder.answer(HTTPAnswer(status: 200))
        }
        defer { server.stop() }
        var client = try LoopbackClient(port: server.port)
        try client.send(
            "GET / HTTP/1.1\r\nHost: h\r\nX-Long: \(String(repeating: "a", count: 20_000))\r\n\r\n")
        #expect(try client.reply()?.status == 431)
    }

    @Test func aQuiescedServerFinishesWhatItHas() throws {
        let streaming = Streaming()
        let server = try streaming.serve()
        defer { server.stop() }
        var client = try client(server)
        let stream = streaming.next()
        server.quiesce()
        server.quiesce()
        #expect(stream.send(Array("still".utf8)) == .taken)
        #expect(try client.text(until: "still") != nil)
        stream.finish()
    }
}
