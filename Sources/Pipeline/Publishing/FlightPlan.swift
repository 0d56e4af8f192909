import EventModel
import Ports

/// Which batches of a sink are under way, and where reading goes on. Pure.
///
///     position ──▶ │ under way │ under way │ under way │ ◀── cursor ──▶ │ read next
struct FlightPlan {
    /// A batch that was handed to the sink.
    struct Flight: Sendable {
        let events: [StoredEvent]
        let bytes: Int
        let delivery: any BatchDelivery
        /// Whether events were left out of it because their key is held.
        let isShortened: Bool
    }

    /// Everything up to here was read.
    var cursor: Int64 = 0
    var limit: BatchLimit
    private var held = HeldKeys()
    private var flights: [Flight] = []
    private var bytes = 0
    /// Whether a batch under way, or one that has landed since, was shortened: reading has to go back for what it left out.
    private var leavesOut = false
    private var isLanding = false

    init(limit: BatchLimit) {
        self.limit = limit
    }

    var isEmpty: Bool { flights.isEmpty }

    /// While a refused event is looked for, one batch at a time: it is alone in its request then. Once batches that left events
    /// out begin to land, nothing is added: reading goes back as soon as all of them have.
    var hasRoom: Bool {
        if !limit.isOpen { return flights.isEmpty }
        if leavesOut, isLanding { return false }
        return flights.count < BatchPump.maxBatchesUnderWay && bytes < BatchPump.maxBytesUnderWay
    }

    /// Where and how much to read next.
    var place: ReadAhead.Place {
        ReadAhead.Place(after: cursor, limit: limit.current, maxBytes: BatchPump.maxBytes)
    }

    /// - Parameter isShortened: whether events were left out because their key is held.
    mutating func add(_ events: [StoredEvent], _ delivery: any BatchDelivery, isShortened: Bool) {
        let size = events.reduce(0) { $0 + $1.body.count }
        flights.append(Flight(events: events, bytes: size, delivery: delivery, isShortened: isShortened))
        bytes += size
    }

    /// Events of the batch that is read now have to wait for others of their keys.
    mutating func leaveOut() {
        leavesOut = true
    }

    var first: Flight { flights[0] }

    mutating func removeFirst() {
        bytes -= flights.removeFirst().bytes
        isLanding = true
    }

    func holds(_ event: StoredEvent) -> Bool { held.holds(event) }

    mutating func hold(_ failed: [String: Int64]) {
        held.hold(failed)
    }

    /// Not before what was left out is gone back for: what stands behind it under the key would come first.
    mutating func releaseKeys(_ isSettled: (Int64) -> Bool) {
        if !leavesOut { held.release(isSettled) }
    }

    /// Goes back to what was left out, once nothing is under way.
    mutating func turnBack(to position: Int64) {
        guard leavesOut, flights.isEmpty else { return }
        goBack(to: position)
    }

    /// Everything that is open above `position` is sent again.
    mutating func goBack(to position: Int64) {
        (cursor, leavesOut, isLanding) = (position, false, false)
    }
}

/// What the reports of batches mean, looked at in the order of the log. Pure.
///
/// What follows a failed event under the same key is not counted as delivered, even where it was acknowledged: it is sent
/// again behind it. So the last record of a key is its last revision, also when the relay dies in between.
struct FlightVerdicts {
    private(set) var refusal: Outcome.Failure?
    private(set) var retry: Outcome.Failure?
    /// The first event of each key that failed.
    private(set) var failedKeys: [String: Int64] = [:]

    /// - Returns: what may count as delivered.
    mutating func landed(_ events: [StoredEvent], _ failures: [Int: Outcome]) -> [StoredEvent] {
        if failures.isEmpty, failedKeys.isEmpty { return events }
        var delivered: [StoredEvent] = []
        for (place, event) in events.enumerated() {
            switch failures[place] {
            case nil, .accepted:
                if failedKeys[event.key] == nil { delivered.append(event) }
            case .retry(let failure, _):
                retry = retry ?? failure
                fail(event)
            case .refused(let failure):
                refusal = refusal ?? failure
                fail(event)
            }
        }
        return delivered
    }

    private mutating func fail(_ event: StoredEvent) {
        if failedKeys[event.key] == nil { failedKeys[event.key] = event.offset }
    }
}
