import Services
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BlockingQueueTests {
    private actor Keeper {
        nonisolated let queue = BlockingQueue(label: "test")
        private(set) var numbers: [Int] = []

        nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

        func add(_ number: Int) {
            numbers.append(number)
        }

        /// For a block that runs on the queue without being a job of the actor.
        nonisolated func countOnQueue() -> Int {
            assumeIsolated { $0.numbers.count }
        }
    }

    @Test func anActorsJobsRunOnItsQueueInOrder() async {
        let keeper = Keeper()
        for number in 0..<100 { await keeper.add(number) }
        #expect(await keeper.numbers == Array(0..<100))
    }

    @Test func aScheduledBlockRunsAfterWhatWasEnqueuedBefore() async {
        let keeper = Keeper()
        await keeper.add(1)
        await keeper.add(2)
        // Trapped by the runtime if the block were not on the actor's executor.
        let count = await withCheckedContinuation { continuation in
            keeper.queue.schedule { continuation.resume(returning: keeper.countOnQueue()) }
        }
        #expect(count == 2)
    }
}
