import Foundation
import Synchronization

/// One run of a program: its own pid, both outputs, and how it ended. Killed when nobody holds it any more.
final class ChildProcess: Sendable {
    enum End: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    let pid: pid_t
    let output: OutputLines
    let errors: OutputLines
    private let end: Ending

    /// - Parameters:
    ///   - folder: where it runs.
    ///   - input: the file it reads from.
    ///   - environment: added to this process's own.
    init(
        _ program: String, _ arguments: [String], folder: String, input: String = "/dev/null",
        environment: [String: String] = [:]
    ) throws {
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // The shell changes the folder and becomes the program: the pid stays.
        let words = ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, folder, program] + arguments
        let (pid, output, errors) = try Self.oneAtATime.withLock { _ in
            let (output, errors) = (try Pipe(), try Pipe())
            defer {
                close(output.write)
                close(errors.write)
            }
            let pid = try Self.spawn(
                words, variables: variables.map { "\($0.key)=\($0.value)" }, input: input,
                output: output.write,
                errors: errors.write)
            return (pid, output.read, errors.read)
        }
        self.pid = pid
        self.output = OutputLines(output, name: "stdout of \(pid)")
        self.errors = OutputLines(errors, name: "stderr of \(pid)")
        end = Ending(of: pid)
    }

    /// Between a pipe's making and the closing of its writing end no other child may be born: it would hold the pipe open.
    private static let oneAtATime = Mutex(())

    deinit {
        end.signal(SIGKILL)
    }

    /// Nil while it runs.
    var result: End? { end.result }

    func signal(_ number: Int32) {
        end.signal(number)
    }

    /// Waits until it has ended and both outputs are read whole.
    func ended(within limit: Duration = .seconds(30)) async throws -> End {
        try await eventually("process \(pid) ends", within: limit) {
            self.result != nil && self.output.hasEnded && self.errors.hasEnded
        }
        return try result.unwrapped("process \(pid) has not ended")
    }

    private struct Pipe {
        let read, write: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw Failure("no pipe: \(String(cString: strerror(errno)))") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (read, write) = (ends[0], ends[1])
        }
    }

    private static func spawn(
        _ words: [String], variables: [String], input: String, output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The runner may ignore or block signals; a program started by a user has none of that.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let arguments = words.map { strdup($0) } + [nil]
        let environment = variables.map { strdup($0) } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, arguments, environment)
        guard code == 0 else { throw Failure("cannot start \(words[0]): \(String(cString: strerror(code)))") }
        return pid
    }
}

/// Waits for one child on a thread, and never signals a pid that may be somebody else's by now.
private final class Ending: Sendable {
    private let pid: pid_t
    private let state = Mutex<ChildProcess.End?>(nil)

    init(of pid: pid_t) {
        self.pid = pid
        startThread("end of \(pid)") { self.wait() }
    }

    var result: ChildProcess.End? { state.withLock { $0 } }

    func signal(_ number: Int32) {
        state.withLock { end in
            if end == nil { kill(pid, number) }
        }
    }

    private func wait() {
        var information = siginfo_t()
        // The child stays a zombie, and its pid its own, until it is collected under the lock.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { end in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let signal = status & 0x7F
            end = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
        }
    }
}

/// Runs a body that blocks, away from the threads that run tests.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread { body() }
    thread.name = name
    thread.start()
}
