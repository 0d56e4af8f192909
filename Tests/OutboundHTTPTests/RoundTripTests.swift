import InboundHTTP
import OutboundHTTP
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RoundTripTests {
    /// Answers with the request as the server saw it: a line, its headers, a zero byte, the body.
    private static let echo: @Sendable (InboundRequest, Responder) -> Void = { request, responder in
        let headers = request.headers.fields.map { "\($0.name.lowercased()): \($0.value)" }
        let lines = ["\(request.method) \(request.rawTarget)"] + headers
        responder.answer(
            HTTPAnswer(
                status: 201, headers: ["X-Mixed-CASE": "  kept Case ", "x-two": "1", "X-Two": "2"],
                body: Array(lines.joined(separator: "\n").utf8) + [0] + request.body))
    }

    private static func parts(_ response: OutboundResponse) -> (head: [String], body: [UInt8]) {
        let halves = response.body.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let head = String(decoding: halves[0], as: UTF8.self).split(separator: "\n").map(String.init)
        return (head, Array(halves[1]))
    }

    @Test func aRequestArrivesWithItsHeadersAndBody() async throws {
        let loopback = try Loopback(handler: Self.echo)
        var request = loopback.request(.post, "/a%20b?x=1&y=%26")
        request.headers = [("Content-Type", "application/cloudevents+json"), ("X-Test", "one: two")]
        request.body = Array(0...255)
        let (head, body) = Self.parts(try await loopback.send(request))
        #expect(head.first == "POST /a%20b?x=1&y=%26")
        #expect(head.contains("content-type: application/cloudevents+json"))
        #expect(head.contains("x-test: one: two"))
        #expect(head.contains("content-length: 256"))
        #expect(!head.contains { $0.hasPrefix("expect:") })
        #expect(body == Array(0...255))
    }

    @Test func anAnswerHasItsStatusAndLowercaseNames() async throws {
        let loopback = try Loopback(handler: Self.echo)
        let response = try await loopback.send(loopback.request())
        #expect(response.status == 201)
        #expect(response.headers.allSatisfy { $0.name == $0.name.lowercased() })
        #expect(response.header("x-mixed-case") == "kept Case")
        #expect(response.headers.filter { $0.name == "x-two" }.map(\.value) == ["1", "2"])
        #expect(response.header("date") != nil)
        #expect(response.header("x-none") == nil)
    }

    @Test(arguments: [OutboundRequest.Method.get, .post, .options])
    func everyMethodIsSentAsItself(method: OutboundRequest.Method) async throws {
        let loopback = try Loopback(handler: Self.echo)
        // Twice: the second transfer gets the handle of the first, with none of its settings.
        for _ in 0..<2 {
            var post = loopback.request(.post)
            post.headers = [("X-Leftover", "1")]
            post.body = [1, 2, 3]
            _ = try await loopback.send(post)
            let (head, body) = Self.parts(try await loopback.send(loopback.request(method)))
            #expect(head.first == "\(method.rawValue) /")
            #expect(!head.contains { $0.hasPrefix("x-leftover") })
            #expect(body.isEmpty)
        }
    }

    @Test func anEmptyBodyIsPostedWithItsLength() async throws {
        let loopback = try Loopback(handler: Self.echo)
        let (head, body) = Self.parts(try await loopback.send(loopback.request(.post)))
        #expect(head.contains("content-length: 0"))
        #expect(body.isEmpty)
    }

    @Test func aHeaderWithoutAValueIsSent() async throws {
        let loopback = try Loopback(handler: Self.echo)
        var request = loopback.request()
        request.headers = [("X-Empty", ""), ("X-Last", "1")]
        let (head, _) = Self.parts(try await loopback.send(request))
        #expect(head.contains("x-empty: "))
        #expect(head.contains("x-last: 1"))
    }

    @Test(arguments: [
        ("X-A", "1\r\nX-Forged: 1"), ("X-A", "1\nX-Forged: 1"), ("X-A\r\nX-Forged", "1"), ("X-A", "1\0"),
        ("", "1"),
        ("X A", "1"), ("X-A:", "1"),
    ])
    func aHeaderThatHTTPDoesNotAllowIsNotSent(name: String, value: String) async throws {
        let loopback = try Loopback(handler: Self.echo)
        var request = loopback.request()
        request.headers = [(name, value)]
        #expect(await loopback.failure(request) == .unusable)
    }

    @Test(arguments: [200, 204, 304, 400, 404, 429, 500, 599])
    func everyStatusIsAnAnswer(status: Int) async throws {
        let loopback = try Loopback { $1.answer(HTTPAnswer(status: status)) }
        #expect(try await loopback.send(loopback.request()).status == status)
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func redirectsAreNotFollowed(status: Int) async throws {
        let loopback = try Loopback { request, responder in
            responder.answer(
                HTTPAnswer(status: request.path == "/" ? status : 200, headers: ["Location": "/elsewhere"]))
        }
        let response = try await loopback.send(loopback.request(.post))
        #expect(response.status == status)
        #expect(response.header("location") == "/elsewhere")
    }

    @Test func aLongBodyTravelsBothWays() async throws {
        let loopback = try Loopback(.init(maxBodyBytes: 8 << 20)) { request, responder in
            responder.answer(HTTPAnswer(status: 200, body: request.body))
        }
        var request = loopback.request(.post, maxResponseBytes: 4 << 20)
        request.body = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await loopback.send(request).body == request.body)
    }
}
