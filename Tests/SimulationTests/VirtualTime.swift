import EventModel
import Ports
import Synchronization

/// A clock that moves only when nobody has anything to do: from one sleeper's time to the next.
final class VirtualClock: Timekeeper {
    private struct Sleeper {
        let ticket: Int
        let until: Duration
        /// Called with whether the time has come.
        let wake: @Sendable (Bool) -> Void
    }

    private struct State {
        var elapsed: Duration = .zero
        var sleepers: [Sleeper] = []
        var nextTicket = 0
    }

    static let start = Timestamp(seconds: 1_790_000_000)
    private let state = Mutex(State())

    var elapsed: Duration { state.withLock { $0.elapsed } }
    var now: Timestamp { Self.start + elapsed }

    func sleep(for duration: Duration) async throws(CancellationError) {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let isDone = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled { return true }
                    let until = state.elapsed + max(.zero, duration)
                    state.sleepers.append(
                        Sleeper(ticket: ticket, until: until, wake: { continuation.resume(returning: $0) }))
                    return false
                }
                if isOver { continuation.resume(returning: false) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.sleepers.firstIndex { $0.ticket == ticket }.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.wake(false)
        }
        if !isDone { throw CancellationError() }
    }

    /// Calls `body` when so much time has passed.
    func after(_ duration: Duration, _ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.nextTicket += 1
            state.sleepers.append(
                Sleeper(ticket: state.nextTicket, until: state.elapsed + duration, wake: { _ in body() }))
        }
    }

    /// Moves to the first sleeper's time, at most to `limit`, and wakes whose time has come.
    func advance(to limit: Duration) {
        let due = state.withLock { state in
            let next = state.sleepers.map(\.until).min() ?? limit
            state.elapsed = max(state.elapsed, min(next, limit))
            let due = state.sleepers.filter { $0.until <= state.elapsed }.sorted { $0.ticket < $1.ticket }
            state.sleepers.removeAll { $0.until <= state.elapsed }
            return due
        }
        for sleeper in due { sleeper.wake(true) }
    }
}

/// For the services that look at the whole store every few minutes: hours here, for the tests' time.
struct SlowClock: Timekeeper {
    let clock: VirtualClock

    var now: Timestamp { clock.now }
    var elapsed: Duration { clock.elapsed }

    func sleep(for duration: Duration) async throws(CancellationError) {
        try await clock.sleep(for: duration * 40)
    }
}
