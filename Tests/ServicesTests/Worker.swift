import Services
import Synchronization

/// What happened, in order.
final class Diary: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { state.withLock { $0 } }

    func write(_ line: String) {
        state.withLock { $0.append(line) }
    }
}

/// A service that does what its test says, and keeps a diary.
struct Worker: Service {
    let name: String
    /// Set when `run` has begun.
    let started = StopSignal()
    /// Set when `stop` was called; handed to the work.
    let signal = StopSignal()
    private let diary: Diary
    private let work: @Sendable (StopSignal) async throws -> Void

    init(_ name: String, _ diary: Diary, work: @escaping @Sendable (StopSignal) async throws -> Void) {
        (self.name, self.diary, self.work) = (name, diary, work)
    }

    func run() async throws {
        started.stop()
        defer { diary.write("end \(name)") }
        try await work(signal)
    }

    func stop() async {
        diary.write("stop \(name)")
        signal.stop()
    }
}
