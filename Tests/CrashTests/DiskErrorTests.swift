import CSQLite
import CrashWorkload
import FaultyDisk
import Persisting
import Testing

/// A disk that is full, read-only or breaks, at every write and for as long as it likes: a clear error, nothing lost,
/// and the work goes on when the cause is gone.
@Suite(.timeLimit(.minutes(60))) struct DiskErrorTests {
    static let errors: [(plan: UInt32, code: Int32)] = [
        (FAULTY_ERROR.rawValue, SQLITE_FULL), (FAULTY_SHORT_WRITE.rawValue, SQLITE_FULL),
        (FAULTY_ERROR.rawValue, SQLITE_IOERR | 3 << 8), (FAULTY_ERROR.rawValue, SQLITE_IOERR | 4 << 8),
        (FAULTY_ERROR.rawValue, SQLITE_READONLY), (FAULTY_READ_ERROR.rawValue, SQLITE_IOERR | 1 << 8),
    ]

    /// A page larger than SQLite's cache meets the full disk before the commit, and takes all that waits with it.
    @Test(arguments: [1, 5, 25] as [Int64])
    func aPageThatIsTooLargeForTheDiskIsRefusedAndFitsLater(at: Int64) async throws {
        let folder = try FaultyFolder()
        let log = try EventLog(path: folder.store, timekeeper: StepClock())
        folder.plan(FAULTY_ERROR, at: at, count: .max / 2, code: SQLITE_FULL)
        let rows = Workload.largeRows(20, bytes: 3 << 20)
        let error = await #expect(throws: LogError.self) {
            try await log.append(rows, from: Workload.visits, position: nil)
        }
        #expect(error?.kind == .storage && error?.cause.contains("full") == true, "\(error as Any)")
        #expect(log.head == 0)
        folder.plan(FAULTY_SOUND)
        #expect(try await log.append(rows, from: Workload.visits, position: nil).stored == 20)
        #expect(try await LogReader(path: folder.store).problems() == [])
    }

    @Test(arguments: EveryWriteTests.seeds.prefix(1), errors.indices)
    func workGoesOnWhenTheDiskIsBack(seed: UInt64, error: Int) async throws {
        let (plan, code) = Self.errors[error]
        let reference = try await Reference(Workload(seed: seed, steps: 7))
        var (at, isDone): (Int64, Bool) = (1, false)
        while !isDone {
            let folder = try FaultyFolder()
            // One operation, a while, and longer than any single step.
            let count = [1, 7, 60][Int(at % 3)] as Int64
            folder.plan(faulty_plan(plan), at: at, count: count, code: code)
            let notes = Shared(Notes())
            let what = "seed \(seed), error \(code), plan \(plan), operation \(at), \(count) times"
            do {
                try await reference.workload.run(folder.store, persists: true) { line in
                    notes.change { $0.add(line) }
                }
            } catch {
                Issue.record("\(what): \(error)")
            }
            isDone = folder.operations < at
            folder.plan(FAULTY_SOUND)
            #expect(try await reference.unfinished(folder.store, notes.value) == [], "\(what)")
            at += isDone ? 1 : 3
        }
    }
}
