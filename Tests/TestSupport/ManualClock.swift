package import EventModel
import Ports
import Synchronization

/// A clock that stands still until a test moves it. Sleepers are woken in the order of their time.
package final class ManualClock: Timekeeper {
    private struct Sleeper {
        let ticket: Int
        let until: Duration
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now: Timestamp
        var elapsed: Duration = .zero
        var sleepers: [Sleeper] = []
        var asked: [Duration] = []
        var watchers: [CheckedContinuation<Duration, Never>] = []
        var nextTicket = 0
    }

    private let state: Mutex<State>

    /// - Parameter start: RFC 3339; the wall clock's first reading.
    package init(_ start: String = "2026-11-01T00:00:00Z") {
        guard let now = Timestamp(rfc3339: start) else { preconditionFailure("\(start) is no time") }
        state = Mutex(State(now: now))
    }

    package var now: Timestamp { state.withLock { $0.now } }
    package var elapsed: Duration { state.withLock { $0.elapsed } }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let isDone = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, watchers) = state.withLock { state in
                    if Task.isCancelled { return (true, [CheckedContinuation<Duration, Never>]()) }
                    state.sleepers.append(
                        Sleeper(ticket: ticket, until: state.elapsed + duration, continuation: continuation))
                    guard let watcher = state.watchers.first else {
                        state.asked.append(duration)
                        return (false, [])
                    }
                    state.watchers.removeFirst()
                    return (false, [watcher])
                }
                for watcher in watchers { watcher.resume(returning: duration) }
                if isOver { continuation.resume(returning: false) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.sleepers.firstIndex { $0.ticket == ticket }.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.continuation.resume(returning: false)
        }
        if !isDone { throw CancellationError() }
    }

    /// The next duration somebody asks to sleep, in the order they asked; waits until somebody does.
    package func nextSleep() async -> Duration {
        await withCheckedContinuation { continuation in
            let asked = state.withLock { state -> Duration? in
                if !state.asked.isEmpty { return state.asked.removeFirst() }
                state.watchers.append(continuation)
                return nil
            }
            if let asked { continuation.resume(returning: asked) }
        }
    }

    /// How many sleep now.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Moves both clocks and wakes whose time has come.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.elapsed += duration
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.until <= state.elapsed }.sorted { $0.until < $1.until }
            state.sleepers.removeAll { $0.until <= state.elapsed }
            return due
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    /// Moves the wall clock alone, as somebody setting it would.
    package func jump(by duration: Duration) {
        state.withLock { $0.now = $0.now + duration }
    }
}
