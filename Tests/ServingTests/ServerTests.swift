import Foundation
import InboundHTTP
import Persisting
import Publishing
import Services
import TestSupport
import Testing

@testable import Serving

/// The whole door on a socket: streams, stopping. Real: store, server, loopback.
@Suite(.timeLimit(.minutes(1)))
struct ServerTests {
    private func server(_ api: APIFixture) throws -> APIServer {
        try APIServer(
            .init(host: "127.0.0.1", port: 0, tokens: []),
            .init(
                log: api.log, book: SubscriptionBook(api.engine), replays: api.replays, isTopic: nil,
                sources: { [] }, metrics: api.metrics, readiness: Readiness(),
                openAPI: Array("{}".utf8)),
            timekeeper: api.clock, logger: .silent)
    }

    /// Runs the server for as long as `body` takes.
    private func running(_ api: APIFixture, _ body: @escaping @Sendable (Int) async throws -> Void)
        async throws
    {
        let server = try server(api)
        try await server.start()
        let port = try #require(server.port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(port)
            await server.stop()
            try await group.waitForAll()
        }
    }

    @Test func aStreamGetsWhatItMissedAndWhatComes() async throws {
        let api = try APIFixture()
        try await api.append(0..<300)
        try await running(api) { port in
            let client = try SocketClient(port: port)
            try await client.send("GET /v1/events/stream?after=290 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for offset in 291...300 {
                #expect(try await client.text(until: "id: \(offset)\nevent: visit.recorded\ndata: {") != nil)
            }
            try await api.append(300..<305)
            for offset in 301...305 { #expect(try await client.text(until: "id: \(offset)\n") != nil) }
        }
    }

    /// Such a body is refused below the routes, and told like every other refusal.
    @Test func aBodyThatIsTooLargeIsAProblemToo() async throws {
        let api = try APIFixture()
        try await running(api) { port in
            let client = try SocketClient(port: port)
            try await client.send(
                "POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"
            )
            #expect(try await client.text(until: "application/problem+json") != nil)
            #expect(try await client.text(until: "urn:millrace:problem:body-too-large") != nil)
        }
    }

    @Test func aQuietStreamBeats() async throws {
        let api = try APIFixture()
        try await running(api) { port in
            #expect(await api.clock.nextSleep() == .seconds(15))
            let client = try SocketClient(port: port)
            try await client.send("GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await client.text(until: "retry: 3000\n\n") != nil)
            // The stream is taken in beside this: an event shows that it has joined.
            try await api.append(0..<1)
            #expect(try await client.text(until: "id: 1\n") != nil)
            api.clock.advance(by: .seconds(15))
            #expect(try await client.text(until: ":\n\n") != nil)
        }
    }

    @Test func aSlowReaderIsDroppedWithAReason() async throws {
        let api = try APIFixture()
        try await running(api) { port in
            let client = try SocketClient(port: port)
            try await client.send("GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await client.text(until: "retry: 3000\n\n") != nil)
            try await api.append(0..<1)
            #expect(try await client.text(until: "id: 1\n") != nil)
            // Reads nothing more: the system's buffers fill, then ours.
            var number = 1
            while !api.metrics.registry.text.contains("millrace_http_streams_dropped_total 1") {
                try await api.append(number..<number + 1000)
                number += 1000
            }
            #expect(try await client.text(until: "too slow; go on with Last-Event-ID\n\n") != nil)
        }
    }

    @Test func stoppingEndsStreamsAndAnswersLongPolls() async throws {
        let api = try APIFixture()
        try await api.append(0..<1)
        let server = try server(api)
        try await server.start()
        let port = try #require(server.port)
        let stream = try SocketClient(port: port)
        let poll = try SocketClient(port: port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await stream.send("GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await stream.text(until: "id: 1\n") != nil)
            #expect(await api.clock.nextSleep() == .seconds(15))
            try await poll.send("GET /v1/events?after=1&wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(await api.clock.nextSleep() == .seconds(60))
            await server.stop()
            try await group.waitForAll()
        }
        #expect(try await stream.text(until: "0\r\n\r\n") != nil)
        #expect(try await poll.text(until: "\"next_after\":1") != nil)
    }
}
