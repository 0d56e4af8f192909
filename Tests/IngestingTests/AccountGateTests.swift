import EventModel
import Ports
import Services
import Synchronization
import TestSupport
import Testing

@testable import Ingesting

/// One gate, several tasks, a clock that tests move.
@Suite(.timeLimit(.minutes(1)))
struct AccountGateTests {
    private let clock = ManualClock()
    private let lines = LogLines()
    private let gate: AccountGate

    init() {
        gate = AccountGate(
            account: "acme-tanma", requestsPerSecond: 1, atOnce: 2, timekeeper: clock, draw: { 1 },
            logger: lines.logger)
    }

    /// When each request was let through, and how they end: by script, then well.
    private final class Requests: Sendable {
        private let state: Mutex<(script: [SourceError.Kind], times: [Duration])>

        init(_ script: SourceError.Kind...) { state = Mutex((script, [])) }

        var times: [Duration] { state.withLock { $0.times } }

        func send(at time: Duration) throws(SourceError) {
            let kind = state.withLock { state in
                state.times.append(time)
                return state.script.isEmpty ? nil : state.script.removeFirst()
            }
            if let kind { throw SourceError(kind, doing: "ask", cause: "scripted") }
        }

        func reach(_ count: Int) async {
            while times.count < count { await Task.yield() }
        }
    }

    private func ask(_ requests: Requests) async -> SourceError.Kind? {
        do throws(SourceError) {
            let clock = clock
            try await gate.admitted { () async throws(SourceError) in try requests.send(at: clock.elapsed) }
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func severalTasksTogetherKeepTheRate() async {
        let requests = Requests()
        let tasks = (0..<4).map { _ in Task { await ask(requests) } }
        for count in 2...4 {
            #expect(await clock.nextSleep() == .seconds(1))
            clock.advance(by: .seconds(1))
            await requests.reach(count)
        }
        for task in tasks { #expect(await task.value == nil) }
        #expect(requests.times == [0, 1, 2, 3].map { .seconds($0) })
    }

    @Test func noMoreRequestsAreInProcessThanAllowed() async {
        let requests = Requests()
        let (started, release) = (Requests(), StopSignal())
        let clock = clock
        let tasks = (0..<2).map { _ in
            Task {
                try await gate.admitted { () async throws(SourceError) in
                    try started.send(at: clock.elapsed)
                    await release.wait()
                }
            }
        }
        #expect(await clock.nextSleep() == .seconds(1))
        clock.advance(by: .seconds(1))
        await started.reach(2)
        let third = Task { await ask(requests) }
        clock.advance(by: .seconds(60))
        #expect(requests.times.isEmpty)
        release.stop()
        #expect(await third.value == nil)
        #expect(requests.times == [.seconds(61)])
        for task in tasks { #expect(await task.result.isSuccess) }
    }

    @Test func whoIsCancelledBehindOthersLeavesTheQueue() async {
        let (requests, cancelled) = (Requests(), Requests())
        #expect(await ask(requests) == nil)
        let head = Task { await ask(requests) }
        #expect(await clock.nextSleep() == .seconds(1))
        let behind = Task { await ask(cancelled) }
        behind.cancel()
        #expect(await behind.value == .cancelled)
        clock.advance(by: .seconds(1))
        #expect(await head.value == nil)
        #expect(cancelled.times.isEmpty)
    }

    @Test func whatFailsInPassingIsTriedAgainAFewTimes() async {
        let requests = Requests(.transport, .malformed)
        let task = Task { await ask(requests) }
        // The wait after a failure, then what is left until the rate's next place.
        for wait in [500, 500, 1000] {
            #expect(await clock.nextSleep() == .milliseconds(wait))
            clock.advance(by: .milliseconds(wait))
        }
        #expect(await task.value == nil)
        #expect(requests.times == [0, 1, 2].map { .seconds($0) })
    }

    @Test func afterFourTriesARequestIsGivenUp() async {
        let requests = Requests(.code(9), .code(9), .code(9), .code(9), .code(9))
        let task = Task { await ask(requests) }
        for _ in 0..<4 { clock.advance(by: await clock.nextSleep()) }
        #expect(await task.value == .code(9))
        #expect(requests.times.count == AccountGate.tries)
    }

    @Test func aThrottledAccountIsClosedForEveryoneAlsoForThoseWhoWaitAlready() async {
        let (first, second) = (Requests(.throttled(after: .seconds(8))), Requests())
        let (started, release) = (StopSignal(), StopSignal())
        let clock = clock
        let one = Task {
            try await gate.admitted { () async throws(SourceError) in
                started.stop()
                await release.wait()
                try first.send(at: clock.elapsed)
            }
        }
        await started.wait()
        let other = Task { await ask(second) }
        #expect(await clock.nextSleep() == .seconds(1))
        release.stop()
        #expect(await clock.nextSleep() == .milliseconds(500))
        clock.advance(by: .seconds(1))
        #expect(await clock.nextSleep() == .seconds(7))
        clock.advance(by: .seconds(6))
        #expect(first.times.count == 1 && second.times.isEmpty)
        clock.advance(by: .seconds(1))
        #expect(await clock.nextSleep() == .seconds(1))
        clock.advance(by: .seconds(1))
        #expect(await other.value == nil)
        #expect(await one.result.isSuccess)
        #expect((first.times.dropFirst() + second.times).sorted() == [.seconds(8), .seconds(9)])
    }

    @Test func aRefusedAccountIsAskedNothingForAQuarterOfAnHour() async {
        let requests = Requests(.credentials)
        #expect(await ask(requests) == .credentials)
        #expect(gate.restLeft() == AccountGate.rest)
        for _ in 0..<5 { #expect(await ask(requests) == .credentials) }
        clock.advance(by: AccountGate.rest - .seconds(1))
        #expect(await ask(requests) == .credentials)
        #expect(requests.times.count == 1)
        #expect(lines.all.count == 1 && lines.count("account stopped") == 1)
        clock.advance(by: .seconds(1))
        #expect(await ask(requests) == nil)
        #expect(requests.times.count == 2)
        #expect(gate.restLeft() == nil)
        #expect(lines.all.count == 2 && lines.count("account works again") == 1)
    }

    @Test func anAccountThatStaysRefusedSaysSoOnceEachTime() async {
        let requests = Requests(.credentials, .credentials)
        #expect(await ask(requests) == .credentials)
        clock.advance(by: AccountGate.rest)
        #expect(await ask(requests) == .credentials)
        #expect(await ask(requests) == .credentials)
        #expect(requests.times.count == 2)
        #expect(lines.count("account stopped") == 2)
    }

    @Test func aLongThrottleEndsTheTryAndIsSaid() async {
        let requests = Requests(.throttled(after: .seconds(3600)))
        #expect(await ask(requests) == .throttled(after: .seconds(3600)))
        #expect(requests.times.count == 1)
        #expect(lines.count("vendor asks for patience") == 1)
    }

    @Test func thoseWhoWaitAreNotSentWhenTheAccountStops() async {
        let (first, second) = (Requests(.credentials), Requests())
        let (started, release) = (StopSignal(), StopSignal())
        let clock = clock
        let one = Task {
            try await gate.admitted { () async throws(SourceError) in
                started.stop()
                await release.wait()
                try first.send(at: clock.elapsed)
            }
        }
        await started.wait()
        let other = Task { await ask(second) }
        #expect(await clock.nextSleep() == .seconds(1))
        release.stop()
        #expect(await !one.result.isSuccess)
        clock.advance(by: .seconds(1))
        #expect(await other.value == .credentials)
        #expect(second.times.isEmpty)
        #expect(lines.count("account stopped") == 1)
    }

    @Test func aCancelledWaitSendsNothing() async {
        let requests = Requests()
        #expect(await ask(requests) == nil)
        let task = Task { await ask(requests) }
        _ = await clock.nextSleep()
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(requests.times.count == 1)
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
