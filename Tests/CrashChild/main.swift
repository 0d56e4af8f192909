import CrashWorkload
import FaultyDisk
import Foundation

// crash-child STORE SEED STEPS N: the workload in a process that is killed at its n-th write. Lines of notes on stdout.

let words = CommandLine.arguments
guard words.count == 5, let seed = UInt64(words[2]), let steps = Int(words[3]), let at = Int64(words[4])
else {
    print("usage: crash-child STORE SEED STEPS N")
    exit(2)
}
guard faulty_disk_register() == 0 else { exit(2) }
let disk = faulty_disk_mount((words[1] as NSString).deletingLastPathComponent)
faulty_disk_plan(disk, FAULTY_KILL, at, 1, 0, 0)
do {
    try await Workload(seed: seed, steps: steps).run(words[1]) { line in
        // Unbuffered: what was said before the end of the process has been said.
        let text = "\(line)\n"
        _ = text.withCString { write(1, $0, strlen($0)) }
    }
} catch {
    print("\(error)")
    exit(1)
}
exit(0)
