import Services
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StopSignalTests {
    @Test func everyWaiterReturnsOnStop() async {
        let signal = StopSignal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { await signal.wait() } }
            group.addTask { signal.stop() }
        }
        #expect(signal.isStopped)
    }

    @Test func aWaitAfterTheStopReturnsAtOnce() async {
        let signal = StopSignal()
        #expect(!signal.isStopped)
        signal.stop()
        signal.stop()
        await signal.wait()
        #expect(signal.isStopped)
    }

    @Test func aCancelledWaitReturnsAndTheSignalStaysUnset() async {
        let signal = StopSignal()
        let waiting = Task { await signal.wait() }
        waiting.cancel()
        await waiting.value
        #expect(!signal.isStopped)
    }

    @Test func stopAndCancellationAtOnceResumeOnce() async {
        // A continuation resumed twice traps, one never resumed hangs: many races must do neither.
        for _ in 0..<500 {
            let signal = StopSignal()
            let waiting = Task { await signal.wait() }
            async let stopped: Void = signal.stop()
            waiting.cancel()
            await waiting.value
            await stopped
        }
    }

    @Test func anOperationThatEndsBeforeTheStopGivesItsValue() async {
        #expect(await StopSignal().unlessStopped { 42 } == 42)
    }

    @Test func aStopCancelsTheOperation() async {
        let (signal, begun, cancelled) = (StopSignal(), StopSignal(), StopSignal())
        async let result: Int? = signal.unlessStopped {
            begun.stop()
            await StopSignal().wait()
            if Task.isCancelled { cancelled.stop() }
            return 42
        }
        await begun.wait()
        signal.stop()
        #expect(await result == nil)
        #expect(cancelled.isStopped)
    }
}
