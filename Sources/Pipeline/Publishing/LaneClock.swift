import EventModel
import Ports
import Synchronization

/// One timer for all lanes: the heap of who wants to be woken when.
final class LaneClock: Sendable {
    private struct State {
        var heap = DueHeap()
        var lanes: [Int64: Lane] = [:]
        var lastTicket: Int64 = 0
    }

    private let state = Mutex(State())
    private let timekeeper: any Timekeeper
    private let bell = Bell()

    /// Nobody sleeps longer than this: the wall clock may have jumped meanwhile.
    private static let longest: Duration = .seconds(60)

    init(_ timekeeper: any Timekeeper) {
        self.timekeeper = timekeeper
    }

    func wake(_ lane: Lane, in wait: Duration) {
        // A millisecond at least: what is due in less is due together.
        let due = timekeeper.elapsed + max(.milliseconds(1), min(wait, Self.longest))
        let isFirst = state.withLock { state in
            state.lastTicket += 1
            state.lanes[state.lastTicket] = lane
            let first = state.heap.first?.due
            state.heap.push(Self.instant(due), state.lastTicket)
            return first.map { Self.instant(due) < $0 } ?? true
        }
        if isFirst { bell.ring() }
    }

    func run() async {
        while !Task.isCancelled {
            for lane in takeDue() { lane.woken() }
            if let wait = nextWait() {
                await bell.wait(atMost: wait, timekeeper)
            } else {
                await bell.wait()
            }
        }
        // Lanes know their clock: what nobody will wake any more would keep them, and their log open, for ever.
        state.withLock { $0 = State() }
    }

    private func takeDue() -> [Lane] {
        let now = Self.instant(timekeeper.elapsed)
        return state.withLock { state in
            var lanes: [Lane] = []
            while let first = state.heap.first, first.due <= now {
                state.heap.pop()
                if let lane = state.lanes.removeValue(forKey: first.offset) { lanes.append(lane) }
            }
            return lanes
        }
    }

    private func nextWait() -> Duration? {
        let now = Self.instant(timekeeper.elapsed)
        return state.withLock { $0.heap.first }.map { max(.milliseconds(1), $0.due - now) }
    }

    /// The heap's times are milliseconds of the clock that only goes forward, rounded up.
    private static func instant(_ elapsed: Duration) -> Timestamp {
        Timestamp(milliseconds: elapsed.wholeMilliseconds)
    }
}
