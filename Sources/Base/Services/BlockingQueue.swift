import Dispatch

/// A thread's worth of serial work for an actor whose jobs block: SQLite, files.
///
/// Used as an actor's `unownedExecutor`, so that its jobs never hold a thread of the cooperative pool. Jobs run one after
/// the other in the order they came.
package final class BlockingQueue: SerialExecutor {
    private let queue: DispatchQueue

    package init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.async { unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Runs a block after everything that was enqueued before it; for an actor that wants to act once for many calls.
    package func schedule(_ block: @escaping @Sendable () -> Void) {
        queue.async(execute: block)
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
