import EventModel
import Persisting
import Ports
import Services
import Synchronization

/// One subscription at work: the machine behind a lock, its endpoint, and the way out for what the machine decides.
///
/// Everything that happens goes through `act`: lock, machine, unlock, then the steps. A delivery's end comes in on the
/// transport's thread and the next one begins from there, so a busy lane needs no task and no hop between threads.
final class Lane: Sendable {
    /// What a lane asks of the engine. None of it blocks.
    struct Surroundings: Sendable {
        let log: EventLog
        let timekeeper: any Timekeeper
        let draw: @Sendable () -> Double
        let metrics: WebhookMetrics
        let logger: Logger
        let load: @Sendable (Lane, Int64, [Int64]) -> Void
        let read: @Sendable (Lane, Int64) -> Void
        /// There is something to store.
        let changed: @Sendable (Lane, Urgency) -> Void
        let wake: @Sendable (Lane, Duration) -> Void
        let idle: @Sendable () -> Void
    }

    enum Urgency: Int, Sendable, Comparable {
        /// Nothing but filtered events: a crash would only filter them again.
        case low
        case normal
        /// Something is not sent before this is on disk.
        case high

        static func < (left: Urgency, right: Urgency) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var machine: LaneMachine
        var endpoint: any Endpoint
        /// The latest announcement to the storing task; nil once it has taken what there is.
        var announced: Urgency?
        /// When the engine will look here again by itself.
        var wakes: Duration?
    }

    let sink: String
    /// The subscription's name; a new one has a lane of its own from the next start on.
    private let name: String
    private let surroundings: Surroundings
    private let state: Mutex<State>

    init(_ machine: LaneMachine, _ endpoint: any Endpoint, _ surroundings: Surroundings) {
        (sink, name, self.surroundings) = (machine.identity.sink, machine.subscription.name, surroundings)
        state = Mutex(State(machine: machine, endpoint: endpoint))
    }

    // MARK: - What happens

    func poke() {
        act { _, _ in [] }
    }

    /// The timer that was asked for has come.
    func woken() {
        state.withLock { $0.wakes = nil }
        poke()
    }

    func offered(_ events: [StoredEvent]) {
        act { machine, _ in
            machine.offered(events)
            return []
        }
    }

    func received(_ events: [StoredEvent]) {
        act { machine, _ in
            machine.received(events)
            return []
        }
    }

    func loaded(_ lead: Int64, _ events: [StoredEvent]) {
        act { machine, moment in
            machine.loaded(lead, events, moment)
            return []
        }
    }

    /// Something from outside: a pause, a change, a redrive.
    func tell(_ change: (inout LaneMachine, Moment) -> Void) {
        act { machine, moment in
            change(&machine, moment)
            return []
        }
    }

    func replace(_ endpoint: any Endpoint, _ change: (inout LaneMachine, Moment) -> Void) {
        state.withLock { $0.endpoint = endpoint }
        tell(change)
    }

    func read<T: Sendable>(_ body: (inout LaneMachine) -> T) -> T {
        state.withLock { body(&$0.machine) }
    }

    var endpoint: any Endpoint { state.withLock { $0.endpoint } }

    // MARK: - Storing

    /// What is to be stored now; nil when there is nothing.
    func take() -> SinkUpdate? {
        state.withLock { state in
            state.announced = nil
            guard !state.machine.isRetired, state.machine.ledger.isDirty else { return nil }
            state.machine.storing += state.machine.freezing
            state.machine.freezing = []
            return state.machine.ledger.take()
        }
    }

    func stored() {
        let hasFrozen = state.withLock { !$0.machine.storing.isEmpty }
        guard hasFrozen else { return }
        tell { machine, _ in machine.stored() }
    }

    func refused(_ update: SinkUpdate) {
        state.withLock { state in
            state.machine.ledger.putBack(update)
            state.machine.freezing = state.machine.storing + state.machine.freezing
            state.machine.storing = []
        }
    }

    // MARK: - Inside

    private struct Work {
        var steps: [LaneMachine.Step] = []
        var announcement: Urgency?
        var wake: Duration?
        var isIdle = false
        var endpoint: any Endpoint
    }

    private func act(_ change: (inout LaneMachine, Moment) -> [LaneMachine.Step]) {
        act(at: moment, change)
    }

    private func act(at moment: Moment, _ change: (inout LaneMachine, Moment) -> [LaneMachine.Step]) {
        var work = decide(at: moment, change)
        var place = 0
        while place < work.steps.count {
            perform(work.steps[place], work.endpoint, since: moment.elapsed, &work.steps)
            place += 1
            if place == work.steps.count { announce(work) }
        }
        if work.steps.isEmpty { announce(work) }
    }

    private var moment: Moment {
        Moment(now: surroundings.timekeeper.now, elapsed: surroundings.timekeeper.elapsed)
    }

    private func decide(
        at moment: Moment, _ change: (inout LaneMachine, Moment) -> [LaneMachine.Step]
    ) -> Work {
        state.withLock { state in
            var work = Work(endpoint: state.endpoint)
            work.steps = change(&state.machine, moment)
            work.steps += state.machine.pump(moment)
            if state.machine.ledger.isDirty {
                let urgency = state.machine.urgency
                if state.announced.map({ $0 < urgency }) ?? true {
                    (state.announced, work.announcement) = (urgency, urgency)
                }
            }
            if let wake = state.machine.wake(moment) {
                let due = moment.elapsed + wake
                if state.wakes.map({ due < $0 }) ?? true { (state.wakes, work.wake) = (due, wake) }
            }
            work.isIdle = state.machine.isStopping && state.machine.flights.isEmpty
            return work
        }
    }

    private func announce(_ work: Work) {
        if let urgency = work.announcement { surroundings.changed(self, urgency) }
        if let wake = work.wake { surroundings.wake(self, wake) }
        if work.isIdle { surroundings.idle() }
    }

    /// Steps that bring their answer at once are answered here, and what follows from that is appended: a lane that
    /// catches up must not call itself ever deeper.
    private func perform(
        _ step: LaneMachine.Step, _ endpoint: any Endpoint, since began: Duration,
        _ steps: inout [LaneMachine.Step]
    ) {
        switch step {
        case .begin(let delivery, let lead):
            endpoint.begin(delivery) { [self] result in ended(lead, result, of: delivery, since: began) }
        case .askConsent(let perMinute):
            endpoint.askConsent(perMinute: perMinute) { [self] answer in
                act { machine, moment in machine.consented(answer, moment) }
            }
        case .load(let lead, let offsets):
            guard let events = recent(offsets) else { return surroundings.load(self, lead, offsets) }
            follow(&steps) { machine, moment in machine.loaded(lead, events, moment) }
        case .read(let offset):
            guard let events = surroundings.log.recentEvents(after: offset, limit: 256, maxBytes: 4 << 20)
            else { return surroundings.read(self, offset) }
            follow(&steps) { machine, _ in machine.received(events) }
        case .say(let remark):
            remark.log(sink, surroundings.logger)
        }
    }

    private func follow(
        _ steps: inout [LaneMachine.Step], _ change: (inout LaneMachine, Moment) -> Void
    ) {
        let work = decide(at: moment) { machine, moment in
            change(&machine, moment)
            return []
        }
        steps += work.steps
        announce(work)
    }

    private func ended(
        _ lead: Int64, _ result: AttemptResult, of delivery: Delivery, since began: Duration
    ) {
        let moment = moment
        surroundings.metrics.ended(
            result, of: delivery, to: name, sink: sink, took: moment.elapsed - began, at: moment.now)
        // A draw is a call of the system: only failures need one.
        let draw = result.verdict == .accepted ? 0 : surroundings.draw()
        act(at: moment) { machine, moment in machine.attempted(lead, result, draw: draw, moment) }
    }

    /// The events of a row when all of them are still in memory.
    private func recent(_ offsets: [Int64]) -> [StoredEvent]? {
        var events: [StoredEvent] = []
        for offset in offsets {
            let found = surroundings.log.recentEvents(after: offset - 1, limit: 1, maxBytes: .max)?.first
            guard let found, found.offset == offset else { return nil }
            events.append(found)
        }
        return events
    }
}

extension LaneMachine {
    var urgency: Lane.Urgency {
        if !freezing.isEmpty { return .high }
        return ledger.hasOnlyFiltered ? .low : .normal
    }
}
