import CrashWorkload
import FaultyDisk
import Foundation
import TestSupport
import Testing

/// L1 to L6, at every point at which something is written: the life of a relay is cut off there, and gone on with.
/// `CRASH_SEEDS=20` takes more lives than the usual ones, `CRASH_SEED=7` exactly one.
@Suite(.timeLimit(.minutes(60))) struct EveryWriteTests {
    static let seeds = Seeds.chosen("CRASH", usual: 1)

    /// SIGKILL on a process of its own: what the kernel has is kept.
    @Test(arguments: seeds.prefix(1)) func killedAtEveryWriteNothingIsLost(seed: UInt64) async throws {
        let reference = try await Reference(Workload(seed: seed, steps: 4))
        var (at, wasKilled): (Int64, Bool) = (1, true)
        while wasKilled {
            let folder = try TemporaryFolder()
            let store = folder.file("store.db")
            let child = try Child.run(store, reference.workload, at: at)
            wasKilled = child.signal == SIGKILL
            #expect(wasKilled || child.notes.isDone, "seed \(seed), write \(at): \(child)")
            try await expectWhole(store, child.notes, reference, "seed \(seed), killed at write \(at)")
            at += 1
        }
        #expect(at > 250, "only \(at) writes: the workload does not work")
    }

    /// The same without a process: from the n-th write on the disk does nothing any more. Torn writes and what a power
    /// loss takes need this.
    @Test(arguments: seeds, [FAULTY_DEATH, FAULTY_TORN, FAULTY_POWER_LOSS].map(\.rawValue))
    func brokenAtEveryWriteNothingIsLost(seed: UInt64, plan: UInt32) async throws {
        let reference = try await Reference(Workload(seed: seed, steps: 7))
        var (at, isDone): (Int64, Bool) = (1, false)
        while !isDone {
            let folder = try FaultyFolder()
            folder.plan(faulty_plan(plan), at: at, seed: seed &+ UInt64(at))
            let notes = Shared(Notes())
            do {
                try await reference.workload.run(folder.store) { line in notes.change { $0.add(line) } }
            } catch {
                #expect(folder.operations >= at)
            }
            isDone = notes.value.isDone && folder.operations < at
            folder.plan(FAULTY_SOUND)
            try await expectWhole(
                folder.store, notes.value, reference, "seed \(seed), plan \(plan), write \(at)")
            at += 1
        }
        #expect(at > 300, "only \(at) writes: the workload does not work")
    }

    private func expectWhole(
        _ store: String, _ notes: Notes, _ reference: Reference, _ what: String
    ) async throws {
        #expect(try await reference.broken(store, notes) == [], "\(what)")
        let all = Shared(notes)
        try await reference.workload.run(store) { line in all.change { $0.add(line) } }
        #expect(try await reference.unfinished(store, all.value) == [], "\(what), then finished")
    }
}
