import Glibc
import Synchronization

/// What a child process writes to one pipe, read on a thread of its own until the pipe ends.
final class OutputLines: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
        var isAskedToClose = false
    }

    private let state = Mutex(State())

    /// - Parameter descriptor: the pipe's reading end; owned from here on.
    init(_ descriptor: Int32, name: String) {
        startThread(name) { self.read(descriptor) }
    }

    /// Everything so far.
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    /// Whether nothing more can come.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// The finished lines so far, each without its newline.
    var lines: [[UInt8]] {
        let bytes = self.bytes
        return bytes.prefix(through: (bytes.lastIndex(of: newline) ?? -1)).split(separator: newline).map(
            Array.init)
    }

    var texts: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Goes away as a reader does that has seen enough; the writer notices at its next line.
    func close() {
        state.withLock { $0.isAskedToClose = true }
    }

    private func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !state.withLock({ $0.isAskedToClose }) {
            // Looks up now and then, because a blocked read would keep the pipe open.
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 50) != 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            state.withLock { $0.bytes += buffer.prefix(count) }
        }
        Glibc.close(descriptor)
        state.withLock { $0.hasEnded = true }
    }
}

private let newline = UInt8(ascii: "\n")
