import EventModel
import Foundation
import Persisting
import Publishing
import Replaying
import Services
import Serving
import TestSupport
import Testing

@testable import App

/// The description that is served, held against the routes there are.
@Suite struct OpenAPITests {
    private func document() throws -> [String: Any] {
        let json = try OpenAPIDocument.json()
        return try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }

    private func operations() throws -> [String: [String: Any]] {
        let paths = try #require(try document()["paths"] as? [String: [String: [String: Any]]])
        return Dictionary(
            uniqueKeysWithValues: paths.flatMap { path, methods in
                methods.map { ("\($0.key.uppercased()) \(path)", $0.value) }
            })
    }

    private func server(_ folder: TemporaryFolder) throws -> APIServer {
        let clock = ManualClock()
        let log = try EventLog(path: folder.file("millrace.db"), timekeeper: clock)
        let engine = DeliveryEngine(
            .init(
                log: log, relay: "acme", timekeeper: clock, draw: { 0 },
                randomBytes: { [UInt8](repeating: 0, count: $0) },
                endpoint: { _ in preconditionFailure("nothing is delivered") }, abandon: {}, logger: .silent),
            configured: [])
        return try APIServer(
            .init(host: "127.0.0.1", port: 0, tokens: []),
            .init(
                log: log, book: SubscriptionBook(engine),
                replays: try ReplayKeeper(
                    log, targets: { _ in nil }, timekeeper: clock, draw: { 0 }, logger: .silent),
                isTopic: nil, sources: { [] }, metrics: RelayMetrics(), readiness: Readiness(),
                openAPI: try OpenAPIDocument.json()),
            timekeeper: clock, logger: .silent)
    }

    @Test func everyRouteIsDescribedAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let routes = try server(folder).routeNames
        #expect(Set(try operations().keys) == Set(routes))
        #expect(routes.count == Set(routes).count)
    }

    @Test func everyOperationHasANameASummaryAndAnswers() throws {
        var names: Set<String> = []
        for (route, operation) in try operations() {
            let name = try #require(operation["operationId"] as? String, "\(route)")
            #expect(names.insert(name).inserted)
            #expect((operation["summary"] as? String)?.isEmpty == false)
            let answers = try #require(operation["responses"] as? [String: Any])
            #expect(answers.keys.contains { $0.hasPrefix("2") })
            // What needs no token says so, and what needs one says what its lack gives.
            #expect((operation["security"] == nil) == (answers["401"] != nil), "\(route)")
        }
    }

    @Test func theVersionIsAText() throws {
        #expect(try document()["openapi"] as? String == "3.1.0")
        #expect((try document()["info"] as? [String: Any])?["version"] as? String == "1")
    }
}
