package import FaultyDisk
import TestSupport

/// A temporary folder on a disk of its own that breaks by plan. Nothing else in the process is touched.
package final class FaultyFolder: @unchecked Sendable {
    // The disk has a lock of its own (faulty_disk.c).
    private let disk: OpaquePointer
    private let folder: TemporaryFolder

    package init() throws {
        precondition(faulty_disk_register() == 0, "SQLite takes the disk")
        folder = try TemporaryFolder()
        disk = faulty_disk_mount(folder.path)
    }

    deinit {
        faulty_disk_unmount(disk)
    }

    package var store: String { folder.file("store.db") }

    /// What is done on the disk from now on is counted from 1; at the `at`-th the plan begins.
    /// - Parameters:
    ///   - count: how many operations a plan of errors lasts.
    ///   - code: SQLite's word for the error.
    package func plan(
        _ plan: faulty_plan, at: Int64 = 0, count: Int64 = 1, code: Int32 = 0, seed: UInt64 = 0
    ) {
        faulty_disk_plan(disk, plan, at, count, code, seed)
    }

    package var operations: Int64 { faulty_disk_operations(disk) }
}
