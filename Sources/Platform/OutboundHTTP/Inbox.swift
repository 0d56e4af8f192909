import Glibc
import Synchronization

/// How tasks hand work to the transfer thread and wake it.
final class Inbox: Sendable {
    private struct State {
        var added: [Transfer] = []
        var cancelled: [Int] = []
        var isClosed = false
        var lastTicket = 0
        /// Whether the thread looks here again before it sleeps, so that nobody needs to wake it.
        var isAwake = true
        /// Wakes the thread; nil before it runs and after it has ended.
        var wake: (@Sendable () -> Void)?

        mutating func wakeUnlessAwake() {
            guard !isAwake else { return }
            isAwake = true
            wake?()
        }
    }

    struct Work {
        let added: [Transfer]
        let cancelled: [Int]
        let isClosed: Bool
    }

    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)

    /// Whether it is its own thread that asks.
    var isMine: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    func nextTicket() -> Int {
        state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
    }

    func add(_ transfer: Transfer) {
        let isClosed = state.withLock { state in
            if state.isClosed { return true }
            state.added.append(transfer)
            state.wakeUnlessAwake()
            return false
        }
        if isClosed { transfer.finish(.failure(.closed)) }
    }

    func cancel(_ ticket: Int) {
        state.withLock { state in
            state.cancelled.append(ticket)
            state.wakeUnlessAwake()
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wakeUnlessAwake()
        }
    }

    /// Called by the thread; `wake` is called under the lock, so it is never called after `detach` returned.
    func attach(wake: @escaping @Sendable () -> Void) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        state.withLock { $0.wake = wake }
    }

    func detach() {
        thread.store(0, ordering: .relaxed)
        state.withLock { $0.wake = nil }
    }

    /// Whether there is nothing to do; then whoever adds something from now on wakes the thread.
    func maySleep() -> Bool {
        state.withLock { state in
            guard state.added.isEmpty, state.cancelled.isEmpty, !state.isClosed else { return false }
            state.isAwake = false
            return true
        }
    }

    func take() -> Work {
        state.withLock { state in
            state.isAwake = true
            defer { (state.added, state.cancelled) = ([], []) }
            return Work(added: state.added, cancelled: state.cancelled, isClosed: state.isClosed)
        }
    }
}
