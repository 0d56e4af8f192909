import CrashWorkload
import EventModel
import FaultyDisk
import Persisting
import Services

/// Five days of a relay in a second or two: lives that end badly, on a disk that breaks, between a vendor, a cluster and
/// an endpoint that fail by schedule. Time stands still while anybody has something to do.
struct Simulation {
    let seed: UInt64
    let relay: SimulatedRelay
    private let clock = VirtualClock()
    private let thread = SimulationThread()
    private let folder: FaultyFolder
    private let schedule: FaultSchedule
    /// How the first life ends, until it has.
    private let cut: Shared<Cut?>

    /// The end of a process at a write, counted from its first.
    struct Cut: Sendable {
        let way: FaultSchedule.End.Way
        let write: Int64

        var plan: faulty_plan {
            switch way {
            case .killed, .stopped: FAULTY_DEATH
            case .tornWrite: FAULTY_TORN
            case .powerLost: FAULTY_POWER_LOSS
            }
        }
    }

    init(seed: UInt64) throws {
        try self.init(seed: seed, FaultSchedule(seed: seed), cut: nil)
    }

    /// A calm world and one bad end.
    init(seed: UInt64, cut: Cut) throws {
        try self.init(seed: seed, .calm(.hours), cut: cut)
    }

    private init(seed: UInt64, _ schedule: FaultSchedule, cut: Cut?) throws {
        self.seed = seed
        self.schedule = schedule
        self.cut = Shared(cut)
        relay = SimulatedRelay(clock: clock, schedule: schedule, seed: seed)
        folder = try FaultyFolder()
    }

    /// A relay that never comes to rest is a finding too.
    private static let longest: Duration = .seconds(300)
    private let deadline = ContinuousClock.now + longest
    private var isLate: Bool { ContinuousClock.now > deadline }

    var store: String { folder.store }

    /// - Returns: what is wrong in the end; nothing when the relay keeps what it promises.
    func run() async throws -> [String] {
        await withTaskExecutorPreference(thread.driver) {
            for end in schedule.ends { await live(until: end.at, end) }
            await live(until: schedule.world.whole, nil)
        }
        return isLate ? ["no end after \(Self.longest)"] : try await Oracle(self).findings()
    }

    /// Whether the first life never got to the write at which it was to end.
    var survived: Bool { cut.value != nil }

    // MARK: - One life

    private func live(until limit: Duration, _ end: FaultSchedule.End?) async {
        folder.plan(FAULTY_SOUND)
        if let cut = cut.value { folder.plan(cut.plan, at: cut.write, seed: seed) }
        while clock.elapsed < limit, !isLate {
            var isOver = false
            do throws(LogError) {
                var log: EventLog? = try EventLog(
                    path: store, timekeeper: clock, queue: { _ in thread.store })
                weak let last = log
                relay.begins()
                if let log { isOver = try await run(log, until: limit, end) }
                log = nil
                // Only then is the disk mended: the end of a process that died closes nothing properly.
                while last != nil, !isLate { await thread.catchUp() }
            } catch {
                assert(error.kind != .corrupt, "\(error)")
            }
            if isOver { return }
            // What a supervisor does: once more, a little later.
            relay.died()
            if isCut { cut.value = nil }
            clock.advance(to: min(limit, clock.elapsed + .seconds(30)))
            mend()
        }
    }

    /// False when the relay gave up by itself before its time.
    private func run(
        _ log: EventLog, until limit: Duration, _ end: FaultSchedule.End?
    ) async throws(LogError) -> Bool {
        let (stop, hasEnded) = (StopSignal(), Shared(false))
        let group = ServiceGroup(
            try relay.services(log, thread.store), deadline: .seconds(3600), logger: .silent)
        let life = Task(executorPreference: thread) {
            do {
                _ = try await group.run(until: { await stop.wait() })
            } catch let failure as ServiceFailure {
                // A position that the relay refuses to go on from: somebody would have to decide.
                if failure.cause is RelayStop { relay.lines.change { $0.append("refused: \(failure)") } }
            } catch {
                assertionFailure("\(error)")
            }
            hasEnded.value = true
        }
        while clock.elapsed < limit, !hasEnded.value, !isLate {
            await thread.settle()
            if isCut { break }
            clock.advance(to: limit)
            mend()
        }
        if isCut {
            relay.died()
            life.cancel()
        }
        // A death in the midst of work tells more than one at rest.
        let latest = limit + FaultSchedule.hour * 2
        while end != nil, !isCut, !relay.isBusy, clock.elapsed < latest, !hasEnded.value, !isLate {
            await thread.settle()
            if !relay.isBusy { clock.advance(to: latest) }
            mend()
        }
        let wasInTime = !hasEnded.value && !isCut
        if !isCut { finish(end, stop, life) }
        while !hasEnded.value, !isLate {
            await thread.settle()
            if !hasEnded.value { clock.advance(to: clock.elapsed + .seconds(60)) }
        }
        if !isLate { await life.value }
        return wasInTime
    }

    /// The end comes while there is work: what is done with the last writes is the schedule's choice.
    private func finish(_ end: FaultSchedule.End?, _ stop: StopSignal, _ life: Task<Void, Never>) {
        switch end?.way {
        case nil, .stopped:
            folder.plan(FAULTY_SOUND)
            stop.stop()
        case .killed: die(FAULTY_DEATH, end, life)
        case .tornWrite: die(FAULTY_TORN, end, life)
        case .powerLost: die(FAULTY_POWER_LOSS, end, life)
        }
    }

    private func die(_ plan: faulty_plan, _ end: FaultSchedule.End?, _ life: Task<Void, Never>) {
        relay.died()
        folder.plan(plan, at: end?.writes ?? 1, seed: seed)
        life.cancel()
    }

    /// Whether the first life has come to the write at which it ends.
    private var isCut: Bool { cut.value.map { folder.operations >= $0.write } ?? false }

    /// The disk's own schedule: full or broken for a while, then well again.
    private func mend() {
        if cut.value != nil { return }
        let isBroken = FaultSchedule.trouble(schedule.disk, at: clock.elapsed) != nil
        let code: Int32 =
            (FaultSchedule.trouble(schedule.disk, at: clock.elapsed)?.way ?? 0) % 2 == 0 ? 13 : 10
        if isBroken {
            folder.plan(FAULTY_ERROR, at: 1, count: .max / 2, code: code)
        } else {
            folder.plan(FAULTY_SOUND)
        }
    }
}
