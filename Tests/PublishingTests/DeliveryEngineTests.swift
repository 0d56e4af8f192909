import EventModel
import Persisting
import Ports
import Services
import Synchronization
import TestSupport
import Testing

@testable import Publishing

/// Pins the engine over a real log: positions, retries in the store, restarts, state. Time is moved by the tests.
@Suite(.timeLimit(.minutes(1))) struct DeliveryEngineTests {
    @Test func everyEventIsDeliveredOnceAndCounted() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...3000)
        let endpoint = ScriptedEndpoint()
        try await fixture.running(endpoint) { _ in
            try await fixture.until { $0.progress.position == 3000 }
            try await fixture.pump.append(3001...3010)
            try await fixture.until { $0.progress.position == 3010 }
        }
        #expect(endpoint.offsets.sorted() == Array(1...3010).map(Int64.init))
        #expect(endpoint.mostUnderWay <= 16)
        let record = try #require(try await fixture.record())
        #expect(record.delivered == 3010 && record.progress.settled.isEmpty && record.waiting == 0)
        #expect(record.isBalanced)
    }

    @Test func failureWaitsInTheStoreAndHoldsNobodyUp() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...20)
        let endpoint = ScriptedEndpoint { delivery, attempt in
            delivery.events[0].offset == 3 && attempt < 3 ? .status(500) : .ok
        }
        try await fixture.running(endpoint, step: .milliseconds(1)) { _ in
            try await fixture.until { $0.progress.position == 20 && $0.delivered == 19 }
            let record = try #require(try await fixture.record())
            #expect(record.waiting == 1 && record.pending == 1 && record.isBalanced)
        }
        try await fixture.running(endpoint, step: .seconds(1)) { _ in
            try await fixture.until { $0.delivered == 20 }
        }
        #expect(endpoint.sent.filter { $0.offsets == [3] }.map(\.attempt) == [1, 2, 3])
        #expect(try await fixture.record()?.waiting == 0)
    }

    @Test func spentScheduleIsADeadLetterWithItsLastAnswer() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...5)
        let endpoint = ScriptedEndpoint { delivery, _ in
            delivery.events[0].offset == 2 ? .status(500) : .ok
        }
        try await fixture.running(endpoint, step: .seconds(1)) { _ in
            try await fixture.until { $0.dead == 1 && $0.delivered == 4 }
        }
        let record = try #require(try await fixture.record())
        #expect(record.waiting == 0 && record.progress.position == 5 && record.isBalanced)
        let letters = try await fixture.log.deadLetters(of: "webhook/a", after: 0, limit: 10)
        let letter = try #require(letters.first)
        #expect(letters.count == 1 && letter.letter.attempts == 3 && letter.letter.status == 500)
        #expect(letter.letter.answer == Array("no".utf8))
        #expect(endpoint.sent.count { $0.offsets == [2] } == 3)
    }

    @Test(arguments: [413, 415]) func refusedEventIsADeadLetterAtOnce(status: Int) async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...3)
        let endpoint = ScriptedEndpoint { delivery, _ in
            delivery.events[0].offset == 2 ? .status(status) : .ok
        }
        try await fixture.running(endpoint) { _ in
            try await fixture.until { $0.dead == 1 && $0.delivered == 2 }
        }
        #expect(endpoint.sent.count == 3)
    }

    @Test func askedForWaitHoldsTheWholeSubscription() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...1)
        let endpoint = ScriptedEndpoint { delivery, attempt in
            delivery.events[0].offset == 1 && attempt == 1 ? .status(404, retryAfter: .seconds(3600)) : .ok
        }
        let start = fixture.pump.clock.now
        try await fixture.running(endpoint, step: .seconds(1)) { _ in
            try await fixture.until { $0.waiting == 1 }
            try await fixture.pump.append(2...5)
            try await fixture.until { $0.delivered == 5 }
        }
        #expect(fixture.pump.clock.now - start >= .seconds(3600))
        let first = try await fixture.log.attempts(of: "webhook/a", limit: 10).map(\.time).min()
        let others = try await fixture.log.attempts(of: "webhook/a", limit: 10).filter { $0.failure == nil }
        #expect(others.allSatisfy { $0.time - (first ?? $0.time) >= .seconds(3600) })
    }

    @Test func filteredEventsArePassedAndCounted() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...1000)
        let endpoint = ScriptedEndpoint()
        let subscription = EngineFixture.subscription {
            $0.events = [NamePattern("relation.*")].compactMap { $0 }
        }
        try await fixture.running(endpoint, subscription) { _ in
            try await fixture.until { $0.progress.position == 1000 }
        }
        #expect(endpoint.sent.isEmpty)
        let record = try #require(try await fixture.record())
        #expect(record.filtered == 1000 && record.isBalanced)
    }

    @Test func restartRepeatsNothingThatWasSettled() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...10)
        _ = try await fixture.log.openSink("webhook/a", from: .beginning)
        var update = SinkUpdate(progress: SinkProgress(position: 2, settled: [4...6, 9...9]))
        update.delivered = 6
        try await fixture.log.settle("webhook/a", update)
        let endpoint = ScriptedEndpoint()
        try await fixture.running(endpoint) { _ in
            try await fixture.until { $0.progress.position == 10 }
        }
        #expect(endpoint.offsets.sorted() == [3, 7, 8, 10])
        #expect(try await fixture.record()?.delivered == 10)
    }

    @Test func goneDisablesHoldsAndFlowsOnResume() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...3)
        let endpoint = ScriptedEndpoint { delivery, attempt in
            delivery.events[0].offset == 1 && attempt == 1 ? .status(410) : .ok
        }
        let subscription = EngineFixture.subscription { $0.concurrency = 1 }
        try await fixture.running(endpoint, subscription) { engine in
            try await fixture.until { !$0.isActive }
            try await fixture.pump.append(4...6)
            let held = try #require(try await fixture.record())
            // Three events, the notice of being disabled, three more: all held.
            #expect(held.held == 7 && held.pending == 0 && held.isBalanced)
            #expect(endpoint.sent.count == 1)
            try await SubscriptionBook(engine).resume(Reconciliation.id(of: "a"), by: "ops")
            // Three, the notice, three, and the notice of being enabled.
            try await fixture.until { $0.isActive && $0.delivered == 8 }
        }
        let types = try await fixture.types()
        #expect(types.contains("millrace.subscription.disabled"))
        #expect(types.contains("millrace.subscription.enabled"))
    }

    @Test func tenFailuresOpenTheCircuitAndAProbeClosesIt() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...200)
        let attempts = Mutex(0)
        let endpoint = ScriptedEndpoint { _, _ in
            let number = attempts.withLock { count in
                count += 1
                return count
            }
            return number <= 16 ? .status(500) : .ok
        }
        let subscription = EngineFixture.subscription {
            $0.concurrency = 4
            $0.retry = RetrySchedule(.fixed([Duration](repeating: .seconds(5), count: 100)), jitter: 0)
        }
        try await fixture.running(endpoint, subscription, step: .milliseconds(500)) { _ in
            try await fixture.until { $0.delivered >= 200 }
        }
        let kept = try await fixture.log.attempts(of: "webhook/a", limit: 1000)
        let failures = kept.filter { $0.failure != nil }.map(\.time).sorted()
        #expect(failures.count == 16)
        // Ten open it, and what was under way then fails too; from there on one every thirty seconds.
        let probes = failures.dropFirst(13)
        #expect(zip(probes, probes.dropFirst()).allSatisfy { $1 - $0 >= .seconds(30) }, "\(probes)")
        let types = try await fixture.types()
        #expect(types.count { $0 == "millrace.subscription.failing" } == 1)
        #expect(try await fixture.record()?.subscription?.health.isCircuitOpen == false)
    }

    @Test func daysOfFailureDisable() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...2)
        let endpoint = ScriptedEndpoint { _, _ in .status(500) }
        let subscription = EngineFixture.subscription {
            $0.disableAfter = .seconds(3600)
            $0.retry = RetrySchedule(.fixed([Duration](repeating: .seconds(600), count: 100)), jitter: 0)
        }
        try await fixture.running(endpoint, subscription, step: .seconds(10)) { _ in
            try await fixture.until { !$0.isActive }
        }
        let record = try #require(try await fixture.record())
        #expect(record.subscription?.health.state == .disabled && record.dead == 0 && record.isBalanced)
    }

    @Test func deadlineLeavesWhatHangsAsItWas() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...4)
        let endpoint = ScriptedEndpoint { _, _ in nil }
        let engine = fixture.engine(["a": endpoint], [EngineFixture.subscription()])
        try await engine.start()
        let running = Task { try await engine.run() }
        while endpoint.hangingCount < 4 { await Task.yield() }
        await engine.stop()
        running.cancel()
        try await running.value
        let record = try #require(try await fixture.record())
        #expect(record.progress.position == 0 && record.waiting == 0 && record.delivered == 0)
        #expect(try await fixture.log.attempts(of: "webhook/a", limit: 10).isEmpty)
        let again = ScriptedEndpoint()
        try await fixture.running(again) { _ in try await fixture.until { $0.delivered == 4 } }
        #expect(again.sent.allSatisfy { $0.attempt == 1 })
    }

    /// Whoever stops a relay inside a process opens its store anew: nobody may hold the old log, not even for a retry.
    @Test func stoppedEngineLetsGoOfItsLanes() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...1)
        weak var lane: Lane?
        try await fixture.running(ScriptedEndpoint { _, _ in .status(500) }, step: .milliseconds(1)) {
            try await fixture.until { $0.waiting == 1 }
            lane = $0.lanes.withLock { $0.values.first }
            #expect(lane != nil)
        }
        #expect(lane == nil)
    }

    /// Also those that end while a write is under way wait for their own some milliseconds: a write for each of them would
    /// take the time of deliveries.
    @Test func positionsAreWrittenOnlyAfterTheirWait() async throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine(["a": ScriptedEndpoint()], [EngineFixture.subscription()])
        try await engine.start()
        let running = Task { try await engine.run() }
        try await fixture.pump.append(1...20_000)
        let clock = fixture.pump.clock
        var (stored, writes, waits) = (Int64(0), 0, 0)
        while stored < 20_000 {
            let delivered = try await fixture.record()?.delivered ?? 0
            if delivered > stored { (stored, writes) = (delivered, writes + 1) }
            #expect(writes <= waits, "written while the clock stood")
            if clock.sleeperCount > 0 {
                clock.advance(by: .milliseconds(20))
                waits += 1
            }
        }
        await engine.stop()
        running.cancel()
        try await running.value
    }

    @Test func oneThatHangsDelaysNoOther() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...100)
        let hanging = ScriptedEndpoint { _, _ in nil }
        let fine = ScriptedEndpoint()
        let engine = fixture.engine(
            ["a": hanging, "b": fine], [EngineFixture.subscription("a"), EngineFixture.subscription("b")])
        try await engine.start()
        try await fixture.pump.running(engine) {
            try await fixture.until("webhook/b") { $0.delivered == 100 }
            hanging.abandon()
        }
        #expect(hanging.mostUnderWay == 16)
    }

    @Test func subscriptionThatLeftTheConfigurationIsPausedAndComesBack() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...3)
        try await fixture.running(ScriptedEndpoint()) { _ in try await fixture.until { $0.delivered == 3 } }
        try await fixture.engine([:], []).start()
        try await fixture.pump.append(4...6)
        let paused = try #require(try await fixture.record())
        #expect(paused.subscription?.health.state == .paused && paused.held == 3 && paused.isBalanced)
        let endpoint = ScriptedEndpoint()
        try await fixture.running(endpoint) { _ in try await fixture.until { $0.delivered == 6 } }
        #expect(endpoint.offsets.sorted() == [4, 5, 6])
    }

    @Test func attemptsAreKeptWithTheirAnswers() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...2)
        let endpoint = ScriptedEndpoint { delivery, attempt in
            delivery.events[0].offset == 2 && attempt == 1 ? .status(500) : .ok
        }
        try await fixture.running(endpoint, step: .seconds(1)) { _ in
            try await fixture.until { $0.delivered == 2 }
        }
        let attempts = try await fixture.log.attempts(of: "webhook/a", limit: 10)
        #expect(attempts.count == 3)
        let failure = try #require(attempts.first { $0.failure != nil })
        #expect(failure.status == 500 && failure.failure == "status" && failure.offset == 2)
        #expect(failure.answer == Array("no".utf8))
        #expect(attempts.filter { $0.failure == nil }.allSatisfy { $0.status == 204 })
    }

    @Test func operationalEventsAreDeliveredButNotWhereAccountsAreChosen() async throws {
        let fixture = try EngineFixture()
        try await fixture.pump.append(1...1)
        let gone = ScriptedEndpoint { _, _ in .status(410) }
        let (all, chosen) = (ScriptedEndpoint(), ScriptedEndpoint())
        let engine = fixture.engine(
            ["a": gone, "all": all, "chosen": chosen],
            [
                EngineFixture.subscription("a"), EngineFixture.subscription("all"),
                EngineFixture.subscription("chosen") { $0.accounts = [NamePattern("*")].compactMap { $0 } },
            ])
        try await engine.start()
        try await fixture.pump.running(engine) {
            try await fixture.until("webhook/all") { $0.delivered == 2 }
            try await fixture.until("webhook/chosen") { $0.delivered == 1 && $0.filtered == 1 }
        }
    }
}
