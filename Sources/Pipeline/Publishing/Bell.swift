import Ports
import Synchronization

/// Wakes one task that waits; a ring that nobody hears is heard by the next wait.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.isRung = true
                return CheckedContinuation<Void, Never>?.none
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when it was rung since the last wait, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await waitRegardless(unless: { Task.isCancelled })
        } onCancel: {
            ring()
        }
    }

    /// As `wait`, also in a task that is cancelled.
    func waitRegardless(unless isOver: () -> Bool = { false }) async {
        await withCheckedContinuation { continuation in
            let isHeard = state.withLock { state in
                if state.isRung || isOver() {
                    state.isRung = false
                    return true
                }
                state.waiter = continuation
                return false
            }
            if isHeard { continuation.resume() }
        }
    }

    /// As `wait`, at most so long.
    func wait(atMost limit: Duration, _ timekeeper: any Timekeeper) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                do throws(CancellationError) { try await timekeeper.sleep(for: limit) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
