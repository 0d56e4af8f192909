import Foundation

/// Holds a store for one writing process: an advisory lock on `STORE.lock`, gone with the process however it ends.
///
/// The file is never deleted: removing it would let two processes lock two files of one name.
final class StoreLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.inUse` when another process holds the store; its number is named when it can be read.
    init(storePath: String) throws(LogError) {
        let path = storePath + ".lock"
        let doing = "take the store \(storePath)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LogError(.storage, doing: doing, cause: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw LogError(.inUse, doing: doing, cause: "another Millrace\(holder) is using it")
        }
        self.descriptor = descriptor
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.utf8.count, 0)
    }

    deinit {
        // Unlocked first: a process that is just being started from this one still has a copy of the descriptor, and the
        // lock would stay until that copy is closed too.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
    }
}
