import EventModel
import Persisting
import Ports
import Services

/// Decides everything about one subscription's deliveries. Pure: no clock, no I/O, no lock, no randomness of its own.
///
///     log ──read──▶ fresh ──────────────┐
///                     │ its key is busy │            ┌─ accepted ─▶ settled
///                     ▼                 ├─▶ flight ──┼─ failed ───▶ row that waits ──due──▶ load ─▶ ready ─┐
///                   parked ─────────────┤            └─ refused ──▶ dead letter                            │
///                                       └──────────────────────────────────────────────────────────────────┘
///
/// Every mutating method is named after what has happened; `pump` then says what to do. The position passes only what the
/// ledger has settled or keeps as a row (promise L4), and every event that is taken ends in exactly one of the ledger's
/// counts (promise L6).
struct LaneMachine: Sendable {
    /// What the caller does next, outside any lock.
    enum Step {
        case begin(Delivery, lead: Int64)
        /// Fetch the events of a row that is due.
        case load(lead: Int64, offsets: [Int64])
        case read(after: Int64)
        case askConsent(perMinute: Double?)
        case say(Remark)
    }

    struct Identity: Sendable {
        let sink: String
        let id: String
        let relay: String
    }

    /// Whether deliveries may be made at all, where the endpoint is asked first.
    enum ConsentState: Equatable, Sendable {
        case notNeeded, asked, given
        case missing(next: Duration, refusals: Int)
    }

    struct Loading: Sendable {
        let offsets: [Int64]
        /// Rows whose members are not frozen yet, the first of them the lead.
        let freezes: [Int64]
        let isProbe: Bool
    }

    let identity: Identity
    var subscription: Subscription
    var selection: SinkSelection
    var health: SubscriptionHealth
    var ledger: DeliveryLedger
    var rows = WaitingRows()

    var fresh = Queue<StoredEvent>()
    /// Events behind one of their key that is under way; only with ordered keys.
    var parked: [String: Queue<StoredEvent>] = [:]
    var parkedCount = 0
    var freeKeys = Queue<String>()
    var busyKeys: Set<String> = []

    var ready = Queue<Parcel>()
    var loading: [Int64: Loading] = [:]
    /// Batches whose membership is not on disk yet, and those whose write is under way.
    var freezing: [Parcel] = []
    var storing: [Parcel] = []
    var flights: [Int64: Flight] = [:]

    var circuit: Circuit
    var throttle: Throttle
    var pace: Pace?
    var consent: ConsentState
    /// How often consent was refused before it was last asked for.
    var lastRefusals = 0
    var isReading = false
    /// Whether the log may hold more than was taken.
    var mayHaveMore = true
    var isStopping = false
    /// Replaced by another: whatever still happens to it counts no more.
    var isRetired = false

    /// More events waiting than this, and nothing new is read.
    static let maxWaiting = 10_000

    init(
        _ identity: Identity, _ subscription: Subscription, health: SubscriptionHealth,
        progress: SinkProgress, retries: [RetryRow]
    ) {
        (self.identity, self.subscription, self.health) = (identity, subscription, health)
        selection = subscription.selection
        ledger = DeliveryLedger(progress)
        circuit = Circuit(isOpen: health.isCircuitOpen)
        throttle = Throttle(limit: subscription.concurrency)
        (pace, consent) = (nil, .notNeeded)
        for row in retries {
            rows.insert(
                row.offset,
                WaitingRows.Row(
                    attempts: row.attempts, due: row.due, firstFailed: row.firstFailed, members: row.members,
                    keys: subscription.isOrdered ? row.keys : []))
        }
        settlePaceAndConsent()
    }

    // MARK: - What can be done

    /// Whether events may go out: in every other state they are held.
    var isFlowing: Bool { health.state == .active && !isStopping && !isRetired }

    /// Parcels chosen and not yet settled.
    var underWay: Int {
        flights.count + loading.count + freezing.count + storing.count + ready.count
    }

    var wantsMore: Bool {
        guard isFlowing, consent == .notNeeded || consent == .given else { return false }
        let queued = fresh.count + parkedCount
        guard rows.eventCount < Self.maxWaiting, queued < lowWater else { return false }
        return !circuit.isOpen || queued == 0
    }

    /// Below this many queued events more are read.
    private var lowWater: Int { min(4096, max(64, 2 * subscription.concurrency * subscription.batch)) }

    /// What to do now. Called after everything that happened.
    mutating func pump(_ moment: Moment) -> [Step] {
        guard isFlowing else { return [] }
        if let step = consentStep(moment) { return [step] }
        guard consent == .notNeeded || consent == .given else { return [] }
        var steps: [Step] = []
        while let step = nextStep(moment) { steps += step }
        if wantsMore, !isReading, mayHaveMore {
            isReading = true
            steps.append(.read(after: ledger.window.taken))
        }
        return steps
    }

    /// Nil when nothing more can begin; an empty list when something was chosen that is not sent at once.
    private mutating func nextStep(_ moment: Moment) -> [Step]? {
        guard flights.count < throttle.budget, !isHeld(moment.now), mayPace(moment) else { return nil }
        if let parcel = ready.popFirst() { return [begin(parcel, moment)] }
        guard underWay < throttle.budget, circuit.admits(at: moment.elapsed) else { return nil }
        if let lead = chooseRow(moment) { return [load(lead, moment)] }
        guard let events = chooseFresh(moment) else { return nil }
        let parcel = Parcel(
            events: events, attempt: 1, firstFailed: nil, hasRow: subscription.batch > 1,
            isBatch: subscription.batch > 1, isProbe: circuit.isOpen)
        if circuit.isOpen { circuit.probeBegan(at: moment.elapsed) }
        if subscription.isOrdered { busyKeys.formUnion(parcel.keys) }
        guard parcel.isBatch else { return [begin(parcel, moment)] }
        freeze(parcel, replacing: [], moment)
        return []
    }

    private mutating func begin(_ parcel: Parcel, _ moment: Moment) -> Step {
        let delivery = parcel.delivery
        flights[parcel.lead] = Flight(
            parcel: parcel, id: delivery.id, began: moment, round: throttle.round)
        pace?.took(at: moment.elapsed)
        return .begin(delivery, lead: parcel.lead)
    }

    func isHeld(_ now: Timestamp) -> Bool {
        health.holdUntil.map { now < $0 } ?? false
    }

    private mutating func mayPace(_ moment: Moment) -> Bool {
        pace?.wait(at: moment.elapsed) ?? .zero == .zero
    }

    // MARK: - When to look again

    /// How long nothing can change by itself; nil when only something happening can.
    mutating func wake(_ moment: Moment) -> Duration? {
        guard isFlowing else { return nil }
        if case .missing(let next, _) = consent { return max(.zero, next - moment.elapsed) }
        guard consent != .asked else { return nil }
        if let until = health.holdUntil, moment.now < until { return until - moment.now }
        let due = rows.nextDue({ [busyKeys] in !busyKeys.contains($0) }).map { max(.zero, $0 - moment.now) }
        if circuit.isOpen {
            guard let probe = circuit.wait(at: moment.elapsed) else { return nil }
            return probe > .zero ? probe : due
        }
        guard underWay < throttle.budget || !ready.isEmpty else { return nil }
        let paced = pace?.wait(at: moment.elapsed) ?? .zero
        let hasWork = !fresh.isEmpty || !ready.isEmpty || !freeKeys.isEmpty
        if paced > .zero, hasWork { return paced }
        return due.map { max($0, paced) }
    }
}
