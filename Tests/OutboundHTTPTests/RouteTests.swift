import Glibc
import InboundHTTP
import Synchronization
import Testing

@testable import OutboundHTTP

/// How requests of one route share threads and connections.
@Suite(.timeLimit(.minutes(1)))
struct RouteTests {
    private static func request(_ loopback: Loopback, _ route: OutboundRoute) -> OutboundRequest {
        var request = loopback.request(.post, "/")
        request.body = Array("{}".utf8)
        request.route = route
        return request
    }

    @Test func whatIsUnderWayAtOnceIsSharedByTheThreads() async throws {
        let shelf = Shelf()
        let loopback = try Loopback { _, responder in shelf.keep(responder) }
        let client = HTTPClient(threads: 2)
        let route = OutboundRoute(headers: [])
        let threads = Mutex<Set<UInt>>([])
        let (ends, end) = AsyncStream<Void>.makeStream()
        for _ in 0..<8 {
            client.begin(Self.request(loopback, route)) { _ in
                _ = threads.withLock { $0.insert(UInt(pthread_self())) }
                end.yield()
            }
        }
        for _ in 0..<8 { await shelf.nextArrival() }
        #expect(route.underWay.load(ordering: .relaxed) == 8)
        client.close()
        var count = 0
        for await _ in ends {
            count += 1
            if count == 8 { break }
        }
        #expect(threads.withLock(\.count) == 2)
        #expect(route.underWay.load(ordering: .relaxed) == 0)
    }

    /// The server takes one connection and never closes it: a request on another one would wait until its timeout.
    @Test func whatFollowsAnAnswerUsesItsConnection() async throws {
        let loopback = try Loopback(.init(maxConnections: 1, idleTimeout: .zero)) { _, responder in
            responder.answer(HTTPAnswer(status: 204))
        }
        let client = HTTPClient(threads: 4)
        defer { client.close() }
        let route = OutboundRoute(headers: [])
        let statuses = await withCheckedContinuation { continuation in
            Chain(client, Self.request(loopback, route), length: 30) { continuation.resume(returning: $0) }
                .go()
        }
        #expect(statuses == [Int?](repeating: 204, count: 30))
    }

    @Test func headersOfOneRequestAreNotTheNexts() async throws {
        let seen = Mutex<[HTTPHeaders]>([])
        let loopback = try Loopback { request, responder in
            seen.withLock { $0.append(request.headers) }
            responder.answer(HTTPAnswer(status: 204))
        }
        let route = OutboundRoute(headers: [("x-common", "c")])
        for number in 0..<40 {
            var request = Self.request(loopback, route)
            request.headers = (0..<(number % 20)).map {
                ("x-\($0)", String(repeating: "v", count: number * 10))
            }
            #expect(try await loopback.send(request).status == 204)
        }
        let all = seen.withLock { $0 }
        for (number, headers) in all.enumerated() {
            #expect(headers["x-common"] == "c")
            #expect(headers.fields.filter { $0.name.lowercased().hasPrefix("x-") }.count == number % 20 + 1)
            #expect(headers["x-0"]?.count ?? 0 == (number % 20 > 0 ? number * 10 : 0))
        }
        #expect(all.count == 40)
    }
}

/// Requests one after the other, each begun from the answer to the one before.
private final class Chain: Sendable {
    private let client: HTTPClient
    private let request: OutboundRequest
    private let length: Int
    private let statuses = Mutex<[Int?]>([])
    private let done: @Sendable ([Int?]) -> Void

    init(
        _ client: HTTPClient, _ request: OutboundRequest, length: Int,
        _ done: @escaping @Sendable ([Int?]) -> Void
    ) {
        (self.client, self.request, self.length, self.done) = (client, request, length, done)
    }

    func go() {
        client.begin(request) { [self] result in
            let all = statuses.withLock { statuses in
                if case .success(let response) = result {
                    statuses.append(response.status)
                } else {
                    statuses.append(nil)
                }
                return statuses
            }
            if all.count == length { done(all) } else { go() }
        }
    }
}
