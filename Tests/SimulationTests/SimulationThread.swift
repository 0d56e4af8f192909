import Dispatch
import Services
import Synchronization

/// One thread for everything a simulated relay does, its store included, so that it can be known when nothing is left to do,
/// and so that the same seed meets the same order.
final class SimulationThread: TaskExecutor {
    /// The same thread for who drives the simulation: it comes after what is there, and its jobs do not count.
    final class Driver: TaskExecutor {
        private let queue: BlockingQueue

        fileprivate init(_ queue: BlockingQueue) {
            self.queue = queue
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let unowned = UnownedJob(job)
            queue.schedule { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    let driver: Driver
    /// For the blocking work of the store, whose jobs count like all others.
    let store: BlockingQueue
    private let uncounted: BlockingQueue
    private let count: Count

    init() {
        let (queue, count) = (DispatchQueue(label: "millrace.simulation"), Count())
        self.count = count
        store = BlockingQueue(on: queue) { count.value.add(1, ordering: .sequentiallyConsistent) }
        uncounted = BlockingQueue(on: queue) {}
        driver = Driver(uncounted)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        store.schedule { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Returns when nothing can happen before the clock moves.
    func settle() async {
        var before: Int
        repeat {
            before = jobs
            await catchUp()
        } while jobs != before
    }

    /// Returns when everything that was enqueued before has run.
    func catchUp() async {
        await withCheckedContinuation { continuation in uncounted.schedule { continuation.resume() } }
    }

    private var jobs: Int { count.value.load(ordering: .sequentiallyConsistent) }
}
