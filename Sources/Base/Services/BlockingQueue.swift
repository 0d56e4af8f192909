package import Dispatch

/// A thread's worth of serial work for an actor whose jobs block: SQLite, files.
///
/// Used as an actor's `unownedExecutor`, so that its jobs never hold a thread of the cooperative pool. Jobs run one after
/// the other in the order they came.
package final class BlockingQueue: SerialExecutor {
    private let queue: DispatchQueue
    private let willAdd: @Sendable () -> Void

    package init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
        willAdd = {}
    }

    /// On somebody else's serial queue: for a simulation, in which all work is done by one thread in one order.
    /// - Parameter willAdd: called for each job, before it is there.
    package init(on queue: DispatchQueue, _ willAdd: @escaping @Sendable () -> Void) {
        (self.queue, self.willAdd) = (queue, willAdd)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        willAdd()
        queue.async { unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Runs a block after everything that was enqueued before it; for an actor that wants to act once for many calls.
    package func schedule(_ block: @escaping @Sendable () -> Void) {
        willAdd()
        queue.async(execute: block)
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
