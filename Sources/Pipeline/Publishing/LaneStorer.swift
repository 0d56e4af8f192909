import EventModel
import Persisting
import Ports
import Services
import Synchronization

/// Writes what lanes have settled: all that changed within some milliseconds in one transaction, with the attempts, the
/// state and the operational events that belong to it. Changes from outside run between two writes, so that neither
/// overtakes the other.
final class LaneStorer: Sendable {
    typealias Command = @Sendable () async -> Void

    private struct State {
        var soon: [String: Lane] = [:]
        var later: [String: Lane] = [:]
        var commands: [Command] = []
        var isUrgent = false
        /// Deliveries in the last write.
        var lastCount = 0
        var isFinished = false
    }

    private let surroundings: DeliveryEngine.Surroundings
    private let state = Mutex(State())
    /// Rung when there is something to do …
    private let bell = Bell()
    /// … and when it does not wait for more of it. They are two, because the first is rung in the middle of a write by what
    /// that write does not hold any more, and must not cut the next wait short.
    private let alarm = Bell()

    /// Settled deliveries are stored together, after this time while they are few, so that a crash repeats few …
    static let every: Duration = .milliseconds(3)
    /// … and after this one while they are many, so that writes do not take the time of deliveries …
    static let everyWhenBusy: Duration = .milliseconds(20)
    static let busyFrom = 40
    /// … those that were only filtered after this …
    static let laterEvery: Duration = .seconds(1)
    /// … and all after this one when the store has just refused.
    static let afterRefusal: Duration = .seconds(2)
    static let pruneEvery: Duration = .seconds(60)

    init(_ surroundings: DeliveryEngine.Surroundings) {
        self.surroundings = surroundings
    }

    func changed(_ lane: Lane, _ urgency: Lane.Urgency) {
        let mustRing = state.withLock { state in
            let wasQuiet = state.soon.isEmpty && state.later.isEmpty && state.commands.isEmpty
            if urgency == .low {
                state.later[lane.sink] = lane
                return wasQuiet
            }
            let wasEmpty = state.soon.isEmpty
            state.soon[lane.sink] = lane
            guard urgency == .high, !state.isUrgent else { return wasEmpty }
            state.isUrgent = true
            return true
        }
        if mustRing { bell.ring() }
        if mustRing, urgency == .high { alarm.ring() }
    }

    /// Runs a change between two writes and returns its value; nil when the engine has stopped.
    func perform<T: Sendable>(_ command: @escaping @Sendable () async -> T) async -> T? {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if state.isFinished { return true }
                state.commands.append { continuation.resume(returning: await command()) }
                return false
            }
            guard !isFinished else { return continuation.resume(returning: nil) }
            bell.ring()
            alarm.ring()
        }
    }

    func run() async {
        var pruned: Duration?
        var laterSince: Duration?
        while !Task.isCancelled {
            let isDue = await rest(laterSince)
            for command in takeCommands() { await command() }
            let elapsed = surroundings.timekeeper.elapsed
            laterSince = state.withLock { $0.later.isEmpty } ? nil : laterSince ?? elapsed
            let takesLater = laterSince.map { elapsed - $0 >= Self.laterEvery } ?? false
            if takesLater { laterSince = nil }
            let isStored = await store(takeLanes(soon: isDue, later: takesLater))
            if !isStored { await pause(Self.afterRefusal) }
            if pruned.map({ elapsed - $0 >= Self.pruneEvery }) ?? true {
                pruned = elapsed
                await prune()
            }
        }
    }

    /// The last writes of a stop; in the end nothing more is taken.
    func finish(_ lanes: [Lane]) async {
        _ = await store(lanes)
        let commands = state.withLock { state in
            state.isFinished = true
            // Lanes know their storer: one that could not be stored would keep the log open for ever.
            defer { (state.commands, state.soon, state.later) = ([], [:], [:]) }
            return state.commands
        }
        for command in commands { await command() }
    }

    /// Until there is something to do, and then some milliseconds for more of it, unless it is urgent.
    /// - Returns: whether what was settled has waited its time.
    private func rest(_ laterSince: Duration?) async -> Bool {
        if let laterSince, state.withLock({ $0.soon.isEmpty && $0.commands.isEmpty }) {
            let left = laterSince + Self.laterEvery - surroundings.timekeeper.elapsed
            if left > .zero { await bell.wait(atMost: left, surroundings.timekeeper) }
        } else if state.withLock({ $0.soon.isEmpty && $0.later.isEmpty && $0.commands.isEmpty }) {
            await bell.wait()
        }
        let (isPressing, isQuiet) = state.withLock { state in
            (state.isUrgent || !state.commands.isEmpty, state.soon.isEmpty)
        }
        guard !isPressing, !isQuiet else { return isPressing }
        let isBusy = state.withLock { $0.lastCount >= Self.busyFrom }
        await alarm.wait(atMost: isBusy ? Self.everyWhenBusy : Self.every, surroundings.timekeeper)
        return true
    }

    private func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    private func takeLanes(soon takesSoon: Bool, later takesLater: Bool) -> [Lane] {
        state.withLock { state in
            var taken: [String: Lane] = [:]
            if takesSoon {
                taken = state.soon
                (state.soon, state.isUrgent) = ([:], false)
            }
            if takesLater {
                taken.merge(state.later) { soon, _ in soon }
                state.later = [:]
            }
            return Array(taken.values)
        }
    }

    /// What cannot be stored now stays to be stored: it is delivered, so this can only repeat, not lose.
    func store(_ lanes: [Lane]) async -> Bool {
        var taken: [(lane: Lane, update: SinkUpdate)] = []
        for lane in lanes {
            if let update = lane.take() { taken.append((lane, update)) }
        }
        guard !taken.isEmpty else { return true }
        let count = taken.reduce(0) { $0 + $1.update.delivered + $1.update.waiting.count }
        state.withLock { $0.lastCount = count }
        do throws(LogError) {
            try await surroundings.log.settle(
                taken.map { ($0.lane.sink, $0.update) }, now: surroundings.timekeeper.now)
        } catch {
            surroundings.logger.warning(
                "positions could not be stored", [.cause: .text(error.description)])
            for (lane, update) in taken {
                lane.refused(update)
                changed(lane, .normal)
            }
            return false
        }
        for (lane, _) in taken { lane.stored() }
        return true
    }

    private func prune() async {
        do throws(LogError) {
            _ = try await surroundings.log.pruneAttempts(now: surroundings.timekeeper.now)
        } catch {
            surroundings.logger.warning(
                "old attempts could not be removed", [.cause: .text(error.description)])
        }
    }

    private func pause(_ wait: Duration) async {
        do throws(CancellationError) { try await surroundings.timekeeper.sleep(for: wait) } catch { return }
    }
}
