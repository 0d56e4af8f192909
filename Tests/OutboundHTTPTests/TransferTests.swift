import Glibc
import InboundHTTP
import OutboundHTTP
import Testing

/// How transfers share connections, end early and fail.
@Suite(.timeLimit(.minutes(1)))
struct TransferTests {
    private static let fine: @Sendable (InboundRequest, Responder) -> Void = { request, responder in
        responder.answer(HTTPAnswer(status: 200, body: Array(request.rawTarget.utf8)))
    }

    private static func bytes(_ count: Int) -> @Sendable (InboundRequest, Responder) -> Void {
        { _, responder in
            responder.answer(HTTPAnswer(status: 200, body: (0..<count).map { UInt8(truncatingIfNeeded: $0) }))
        }
    }

    @Test func aConnectionIsReused() async throws {
        // The server serves one connection and never closes it: a second one would wait until its timeout.
        let loopback = try Loopback(.init(maxConnections: 1, idleTimeout: .zero), handler: Self.fine)
        for number in 0..<20 {
            let request = loopback.request(.get, "/\(number)", timeout: .seconds(10))
            #expect(try await loopback.send(request).body == Array("/\(number)".utf8))
        }
    }

    @Test func manyRequestsRunAtOnce() async throws {
        let shelf = Shelf()
        let loopback = try Loopback { request, responder in
            if request.path == "/hang" { shelf.keep(responder) } else { Self.fine(request, responder) }
        }
        let hanging = Task { await loopback.failure(loopback.request(.get, "/hang")) }
        await shelf.nextArrival()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let response = try await loopback.send(loopback.request(.get, "/\(number)"))
                    return response.status == 200 && response.body == Array("/\(number)".utf8)
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        hanging.cancel()
        #expect(await hanging.value == .cancelled)
    }

    @Test func anAnswerThatNeverComesIsATimeout() async throws {
        let shelf = Shelf()
        let loopback = try Loopback { shelf.keep($1) }
        #expect(await loopback.failure(loopback.request(timeout: .milliseconds(100))) == .timeout)
    }

    @Test func aCancelledRequestEndsWhileTheServerHangs() async throws {
        let shelf = Shelf()
        let loopback = try Loopback { shelf.keep($1) }
        let task = Task { await loopback.failure(loopback.request(timeout: .seconds(600))) }
        await shelf.nextArrival()
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test func aRequestOfACancelledTaskIsNotSent() async throws {
        let loopback = try Loopback { _, _ in Issue.record("a request came") }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await loopback.failure(loopback.request())
        }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test func cancellationAtAnyInstantResumesOnce() async throws {
        let loopback = try Loopback(handler: Self.fine)
        for round in 0..<200 {
            let task = Task { await loopback.failure(loopback.request()) }
            for _ in 0..<(round % 20) { await Task.yield() }
            task.cancel()
            let failure = await task.value
            #expect(failure == nil || failure == .cancelled)
        }
        #expect(await loopback.failure(loopback.request()) == nil)
    }

    @Test func closingFailsWhatIsUnderWayAndWhatComesLater() async throws {
        let shelf = Shelf()
        let loopback = try Loopback { shelf.keep($1) }
        let hanging = Task { await loopback.failure(loopback.request()) }
        await shelf.nextArrival()
        loopback.client.close()
        #expect(await hanging.value == .closed)
        #expect(await loopback.failure(loopback.request()) == .closed)
        loopback.client.close()
    }

    @Test(arguments: [0, 1, 999, 1000])
    func aBodyWithinTheCapIsWhole(count: Int) async throws {
        let loopback = try Loopback(handler: Self.bytes(count))
        for overflow in [OutboundRequest.Overflow.fail, .cut] {
            var request = loopback.request(maxResponseBytes: 1000)
            request.overflow = overflow
            #expect(try await loopback.send(request).body.count == count)
        }
    }

    @Test(arguments: [1001, 2_000_000])
    func aBodyOverTheCapIsRefusedOrCut(count: Int) async throws {
        let loopback = try Loopback(handler: Self.bytes(count))
        var request = loopback.request(maxResponseBytes: 1000)
        #expect(await loopback.failure(request) == .tooLarge)
        request.overflow = .cut
        let response = try await loopback.send(request)
        #expect(response.status == 200)
        #expect(response.body == (0..<1000).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test func aRefusedConnectionIsAConnectError() async throws {
        let client = HTTPClient()
        let error = await #expect(throws: OutboundError.self) {
            // A port that no server of another test is ever given.
            try await client.send(
                OutboundRequest(.get, "http://127.0.0.1:1/", timeout: .seconds(30), maxResponseBytes: 1))
        }
        #expect(error?.kind == .connect)
    }

    @Test func aServerThatHangsUpIsBroken() async throws {
        let loopback = try Loopback { $1.drop() }
        #expect(await loopback.failure(loopback.request()) == .broken)
    }

    @Test(arguments: [
        "ftp://127.0.0.1/x", "file:///etc/hosts", "gopher://127.0.0.1/", "", "http://", "http://a b/",
        "http://h:x/",
    ])
    func anAddressThatIsNoHTTPIsUnusable(url: String) async {
        let client = HTTPClient()
        let error = await #expect(throws: OutboundError.self) {
            try await client.send(OutboundRequest(.get, url, timeout: .seconds(30), maxResponseBytes: 1))
        }
        #expect(error?.kind == .unusable)
    }

    @Test func aNameThatDoesNotExistIsAResolveErrorWithoutItsQuery() async {
        let client = HTTPClient()
        let error = await #expect(throws: OutboundError.self) {
            try await client.send(
                OutboundRequest(
                    .get, "http://no-such-host.invalid/?key=hush", timeout: .seconds(30), maxResponseBytes: 1)
            )
        }
        #expect(error?.kind == .resolve)
        #expect(error?.description.contains("hush") == false)
    }

    @Test func certificatesThatCannotBeReadAreATLSError() async throws {
        let loopback = try Loopback(handler: Self.fine)
        var request = loopback.request()
        request.url = request.url.replacing("http:", with: "https:")
        request.caFile = "/no/such/file.pem"
        #expect(await loopback.failure(request) == .tls)
    }

    @Test func aServerWithoutTLSIsATLSError() async throws {
        let loopback = try Loopback(handler: Self.fine)
        var request = loopback.request()
        request.url = request.url.replacing("http:", with: "https:")
        #expect(await loopback.failure(request) == .tls)
    }

    @Test func proxiesOfTheEnvironmentAreIgnored() async {
        // In a process of its own: the environment belongs to all tests of this one.
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:1", 1)
            }
            let loopback = try Loopback { $1.answer(HTTPAnswer(status: 200)) }
            guard await loopback.failure(loopback.request()) == nil else { exit(EXIT_FAILURE) }
        }
    }

    @Test func aProxyOfTheRequestIsUsed() async throws {
        let proxy = try Loopback { $1.answer(HTTPAnswer(status: 200, body: Array($0.rawTarget.utf8))) }
        var request = OutboundRequest(
            .get, "http://example.invalid/x", timeout: .seconds(30), maxResponseBytes: 1000)
        request.proxy = proxy.url("")
        #expect(try await proxy.send(request).body == Array("http://example.invalid/x".utf8))
    }
}
