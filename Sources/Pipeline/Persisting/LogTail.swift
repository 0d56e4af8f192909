import EventModel
import Synchronization

/// The newest events in memory and those who wait for more: every sink at the head reads from here, none asks the disk.
///
/// Bounded by bytes; what falls out is read from the store by whoever is that far behind.
final class LogTail: Sendable {
    private struct State {
        var head: Int64
        /// Dense and ascending; the last one is the head.
        var recent: [StoredEvent] = []
        var recentBytes = 0
        var waiting: [Int64: CheckedContinuation<Void, Never>] = [:]
        var nextTicket: Int64 = 0
    }

    private let state: Mutex<State>
    private let maxBytes: Int

    init(head: Int64, maxBytes: Int) {
        state = Mutex(State(head: head))
        self.maxBytes = maxBytes
    }

    var head: Int64 { state.withLock { $0.head } }

    /// Called by the writer with what it has committed, in offset order.
    func publish(_ events: [StoredEvent]) {
        guard let last = events.last else { return }
        let waiting = state.withLock { state in
            state.head = last.offset
            state.recent += events
            state.recentBytes += events.reduce(0) { $0 + $1.body.count }
            trim(&state)
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// The events after `offset`, when all of them are still in memory; nil sends the caller to the store.
    func events(after offset: Int64, limit: Int, maxBytes: Int) -> [StoredEvent]? {
        state.withLock { state in
            if offset >= state.head { return [] }
            guard let first = state.recent.first, first.offset <= offset + 1 else { return nil }
            return Self.bounded(state.recent.dropFirst(Int(offset + 1 - first.offset)), limit, maxBytes)
        }
    }

    /// Returns when there is an event after `offset`, or when the task is cancelled.
    func waitForEvent(after offset: Int64) async {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.head > offset || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
    }

    /// Takes events until a bound is reached, always at least one.
    static func bounded(_ events: ArraySlice<StoredEvent>, _ limit: Int, _ maxBytes: Int) -> [StoredEvent] {
        var bytes = 0
        var count = 0
        for event in events {
            bytes += event.body.count
            if count >= limit || (count > 0 && bytes > maxBytes) { break }
            count += 1
        }
        return Array(events.prefix(count))
    }

    private func trim(_ state: inout State) {
        guard state.recentBytes > maxBytes else { return }
        var dropped = 0
        // Down to half, so that trimming moves the array seldom.
        while dropped < state.recent.count, state.recentBytes > maxBytes / 2 {
            state.recentBytes -= state.recent[dropped].body.count
            dropped += 1
        }
        state.recent.removeFirst(dropped)
    }
}
