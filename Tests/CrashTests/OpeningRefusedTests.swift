import CSQLite
import CrashWorkload
import FaultyDisk
import Persisting
import Testing

/// A store that cannot be made says why, not what came after.
@Suite struct OpeningRefusedTests {
    @Test(arguments: [(SQLITE_FULL, "full"), (SQLITE_IOERR, "I/O"), (SQLITE_READONLY, "readonly")])
    func aDiskThatFailsWhileTheStoreIsMadeIsNamed(code: Int32, word: String) throws {
        for at in [1, 4, 10, 20] as [Int64] {
            let folder = try FaultyFolder()
            folder.plan(FAULTY_ERROR, at: at, count: .max / 2, code: code)
            let error = #expect(throws: LogError.self) {
                _ = try EventLog(path: folder.store, timekeeper: StepClock())
            }
            #expect(error?.kind == .storage && error?.cause.contains(word) == true, "\(at): \(error as Any)")
            folder.plan(FAULTY_SOUND)
            #expect(try EventLog(path: folder.store, timekeeper: StepClock()).head == 0)
        }
    }
}
