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
            account: "acme-tanma", requestsPerSecond: 1, timekeeper: clock, draw: { 1 }, logger: lines.logger)
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
        var waits: [Duration] = []
        for _ in 0..<3 { waits.append(await clock.nextSleep()) }
        #expect(waits.sorted() == [1, 2, 3].map { .seconds($0) })
        for count in 2...4 {
            clock.advance(by: .seconds(1))
            await requests.reach(count)
        }
        for task in tasks { #expect(await task.value == nil) }
        #expect(requests.times == [0, 1, 2, 3].map { .seconds($0) })
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
        let waits = [await clock.nextSleep(), await clock.nextSleep()]
        #expect(waits.sorted() == [.seconds(7), .seconds(8)])
        clock.advance(by: .seconds(6))
        #expect(first.times.count == 1 && second.times.isEmpty)
        clock.advance(by: .seconds(1))
        while first.times.count + second.times.count < 2 { await Task.yield() }
        clock.advance(by: .seconds(1))
        #expect(await other.value == nil)
        #expect(await one.result.isSuccess)
        #expect((first.times.dropFirst() + second.times).sorted() == [.seconds(8), .seconds(9)])
    }

    @Test func aRefusedAccountIsAskedNothingForAQuarterOfAnHour() async {
        let requests = Requests(.credentials)
        #expect(await ask(requests) == .credentials)
        #expect(await gate.restLeft() == AccountGate.rest)
        for _ in 0..<5 { #expect(await ask(requests) == .credentials) }
        clock.advance(by: AccountGate.rest - .seconds(1))
        #expect(await ask(requests) == .credentials)
        #expect(requests.times.count == 1)
        #expect(lines.all.count == 1 && lines.count("account stopped") == 1)
        clock.advance(by: .seconds(1))
        #expect(await ask(requests) == nil)
        #expect(requests.times.count == 2)
        #expect(await gate.restLeft() == nil)
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
