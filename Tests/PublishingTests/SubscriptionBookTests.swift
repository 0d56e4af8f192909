import EventModel
import Persisting
import Ports
import Services
import TestSupport
import Testing

@testable import Publishing

/// Pins what can be done to subscriptions while the relay runs, over a real store.
@Suite(.timeLimit(.minutes(1))) struct SubscriptionBookTests {
    private func running(
        _ endpoint: ScriptedEndpoint, step: Duration = .milliseconds(25),
        _ body: (EngineFixture, SubscriptionBook) async throws -> Void
    ) async throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine(["made": endpoint], [EngineFixture.subscription("fixed")])
        try await engine.start()
        try await fixture.pump.running(engine, step: step) {
            try await body(fixture, SubscriptionBook(engine))
        }
        for record in try await fixture.log.sinks() { #expect(record.isBalanced, "\(record)") }
    }

    @Test func madeSubscriptionDeliversAndItsSecretIsMade() async throws {
        let endpoint = ScriptedEndpoint()
        try await running(endpoint) { fixture, book in
            try await fixture.pump.append(1...3)
            let (view, secret) = try await book.create(
                EngineFixture.subscription("made"), from: .beginning, by: "ops")
            #expect(view.id.hasPrefix("sub_") && view.id.utf8.count == 30)
            #expect(secret.reveal().hasPrefix("whsec_"))
            try await fixture.until("webhook/\(view.id)") { $0.delivered == 3 }
            try await fixture.pump.append(4...5)
            try await fixture.until("webhook/\(view.id)") { $0.delivered == 5 }
            #expect(try await book.list().map(\.subscription.name).sorted() == ["fixed", "made"])
        }
    }

    @Test func configuredOnesAreReadOnlyAndNamesAreTakenOnce() async throws {
        try await running(ScriptedEndpoint()) { _, book in
            let id = Reconciliation.id(of: "fixed")
            let readOnly = await #expect(throws: BookError.self) { try await book.remove(id, by: "ops") }
            #expect(readOnly?.kind == .readOnly)
            let taken = await #expect(throws: BookError.self) {
                _ = try await book.create(EngineFixture.subscription("fixed"), from: .now, by: "ops")
            }
            #expect(taken?.kind == .nameTaken)
            let missing = await #expect(throws: BookError.self) { _ = try await book.find("sub_x") }
            #expect(missing?.kind == .notFound)
        }
    }

    @Test(arguments: [
        "ftp://example.com/", "https://user:word@example.com/", "https://user@example.com/", "https:///x",
        "https://example.com/#f", "nonsense", "",
    ])
    func urlThatCannotBeIsRefused(url: String) async throws {
        try await running(ScriptedEndpoint()) { _, book in
            let error = await #expect(throws: BookError.self) {
                _ = try await book.create(
                    EngineFixture.subscription("made") { $0.url = url }, from: .now, by: "ops")
            }
            #expect(error?.kind == .invalid)
        }
    }

    @Test func pausedHoldsAndResumedFlows() async throws {
        let endpoint = ScriptedEndpoint()
        try await running(endpoint) { fixture, book in
            let id = try await book.create(EngineFixture.subscription("made"), from: .beginning, by: "ops")
                .view.id
            try await book.pause(id, by: "ops")
            try await fixture.pump.append(1...10)
            #expect(try await book.backlog(id).held == 10)
            #expect(endpoint.sent.isEmpty)
            try await book.resume(id, by: "ops")
            try await fixture.until("webhook/\(id)") { $0.delivered == 10 }
        }
    }

    @Test func resetBeginsANewAccountAndKeepsTheOldTotals() async throws {
        let endpoint = ScriptedEndpoint()
        try await running(endpoint) { fixture, book in
            try await fixture.pump.append(1...10)
            let id = try await book.create(EngineFixture.subscription("made"), from: .beginning, by: "ops")
                .view.id
            try await fixture.until("webhook/\(id)") { $0.delivered == 10 }
            try await book.reset(id, to: .offset(6), by: "ops")
            try await fixture.until("webhook/\(id)") { $0.delivered == 5 }
            #expect(endpoint.offsets.count == 15)
            let closed = try #require(try await fixture.log.closedAccounts().first)
            #expect(closed.delivered == 10 && closed.events == 10 && closed.cause == "reset")
        }
    }

    @Test func removedIsGoneWithItsTotalsKept() async throws {
        try await running(ScriptedEndpoint()) { fixture, book in
            try await fixture.pump.append(1...4)
            let id = try await book.create(EngineFixture.subscription("made"), from: .beginning, by: "ops")
                .view.id
            try await fixture.until("webhook/\(id)") { $0.delivered == 4 }
            try await book.remove(id, by: "ops")
            #expect(try await fixture.record("webhook/\(id)") == nil)
            #expect(try await fixture.log.closedAccounts().first?.delivered == 4)
            #expect(try await book.list().count == 1)
        }
    }

    @Test func rotatedSecretOverlaps() async throws {
        try await running(ScriptedEndpoint()) { fixture, book in
            let (view, first) = try await book.create(
                EngineFixture.subscription("made"), from: .now, by: "ops")
            let second = try await book.rotateSecret(view.id, overlap: .seconds(3600), by: "ops")
            let secrets = try await book.find(view.id).subscription.secrets
            #expect(secrets.map(\.secret) == [second, first])
            #expect(secrets[0].end == nil && secrets[1].end != nil)
            _ = try await book.rotateSecret(view.id, overlap: .zero, by: "ops")
            #expect(try await book.find(view.id).subscription.secrets.count == 1)
        }
    }

    @Test func testEventIsSentAndNotStored() async throws {
        let endpoint = ScriptedEndpoint { _, _ in .status(503) }
        try await running(endpoint) { fixture, book in
            let id = try await book.create(EngineFixture.subscription("made"), from: .now, by: "ops").view.id
            let head = fixture.log.head
            let attempt = try await book.test(id)
            #expect(attempt.status == 503 && attempt.failure == "status" && fixture.log.head == head)
            #expect(endpoint.sent.count == 1 && endpoint.sent[0].offsets == [0])
        }
    }

    @Test func redrivenDeadLettersAreDelivered() async throws {
        let endpoint = ScriptedEndpoint { delivery, attempt in
            delivery.events[0].offset <= 3 && attempt == 1 ? .status(415) : .ok
        }
        try await running(endpoint) { fixture, book in
            try await fixture.pump.append(1...6)
            let id = try await book.create(EngineFixture.subscription("made"), from: .beginning, by: "ops")
                .view.id
            try await fixture.until("webhook/\(id)") { $0.dead == 3 && $0.delivered == 3 }
            let letters = try await book.deadLetters(of: id, after: 0, limit: 10)
            #expect(letters.count == 3 && letters.allSatisfy { $0.letter.status == 415 && $0.type != nil })
            #expect(try await book.redrive(ids: [letters[0].id], by: "ops") == 1)
            try await fixture.until("webhook/\(id)") { $0.dead == 2 && $0.delivered == 4 }
            #expect(try await book.redrive(id, by: "ops") == 2)
            try await fixture.until("webhook/\(id)") { $0.dead == 0 && $0.delivered == 6 }
        }
    }

    @Test func newPatternsApplyAboveThePosition() async throws {
        let endpoint = ScriptedEndpoint()
        try await running(endpoint) { fixture, book in
            try await fixture.pump.append(1...3)
            let id = try await book.create(EngineFixture.subscription("made"), from: .beginning, by: "ops")
                .view.id
            try await fixture.until("webhook/\(id)") { $0.delivered == 3 }
            _ = try await book.change(id, by: "ops") {
                $0.events = [NamePattern("relation.*")].compactMap { $0 }
            }
            try await fixture.pump.append(4...6)
            try await fixture.until("webhook/\(id)") { $0.filtered == 3 && $0.delivered == 3 }
        }
    }

    @Test func whatAHardCutTookFromAHeldSubscriptionIsExpiredAtOnce() async throws {
        let fixture = try EngineFixture()
        let endpoint = ScriptedEndpoint()
        let engine = fixture.engine(["fixed": endpoint], [EngineFixture.subscription("fixed")])
        try await engine.start()
        try await fixture.pump.running(engine) {
            let book = SubscriptionBook(engine)
            try await book.pause("fixed", by: "ops")
            try await fixture.pump.append(1...10)
            fixture.pump.clock.advance(by: .seconds(100))
            let cut = try await fixture.log.forget(
                retention: .seconds(10), hard: .seconds(50), dedupRetention: .zero, relay: "acme"
            ).cut
            engine.cut(below: try #require(cut).until)
            try await fixture.until("webhook/fixed") { $0.expired == 10 }
            try await book.resume("fixed", by: "ops")
            try await fixture.until("webhook/fixed") { $0.delivered > 0 && $0.pending == 0 }
            #expect(endpoint.offsets.min() == 11)
        }
        #expect(try await fixture.record("webhook/fixed")?.isBalanced == true)
    }

    @Test func whatAHardCutTookFromTheWaitingOnesIsExpiredToo() async throws {
        let fixture = try EngineFixture()
        let endpoint = ScriptedEndpoint { _, _ in .status(500) }
        let far = EngineFixture.subscription("fixed") {
            $0.retry = RetrySchedule(.fixed([.seconds(86_400)]), jitter: 0)
        }
        let engine = fixture.engine(["fixed": endpoint], [far])
        try await engine.start()
        try await fixture.pump.running(engine) {
            try await fixture.pump.append(1...4)
            try await fixture.until("webhook/fixed") { $0.waiting == 4 }
            fixture.pump.clock.advance(by: .seconds(100))
            let cut = try await fixture.log.forget(
                retention: .seconds(10), hard: .seconds(50), dedupRetention: .zero, relay: "acme"
            ).cut
            #expect(cut?.sinks.first?.events == 4)
            engine.cut(below: try #require(cut).until)
            try await fixture.until("webhook/fixed") { $0.expired == 4 && $0.waiting <= 1 }
        }
        #expect(try await fixture.record("webhook/fixed")?.isBalanced == true)
    }
}
