import CMicroHTTPD
import Dispatch
import Synchronization

/// The right to answer one request, once: at once or later, from any thread.
///
/// Only the first answer counts, later ones do nothing: `stop()` may have answered already. A responder
/// released without an answer answers 500, so that no client waits for ever.
package final class Responder: Sendable {
    private let pending: PendingAnswer

    init(_ pending: PendingAnswer) {
        self.pending = pending
    }

    deinit {
        pending.settle(.response(HTTPAnswer(status: 500)))
    }

    package func answer(_ response: HTTPAnswer) {
        pending.settle(.response(response))
    }

    /// Answers with a body that is still to be made; the head goes out now.
    /// - Parameters:
    ///   - head: status and headers; its body goes first.
    ///   - capacity: how many bytes may wait for the client.
    /// - Returns: nil when the request has been answered already.
    package func stream(_ head: HTTPAnswer, capacity: Int) -> OutgoingStream? {
        let stream = pending.newStream(capacity: capacity)
        _ = stream.send(head.body)
        return pending.settle(.stream(head, stream)) ? stream : nil
    }

    /// Closes the connection without an answer.
    package func drop() {
        pending.settle(.drop)
    }
}

/// How a request ends.
enum Answer: Sendable {
    case response(HTTPAnswer)
    case stream(HTTPAnswer, OutgoingStream)
    case drop
}

/// Where one request's answer stands. Pure: it says what is to be done, its owner does it.
///
///     running ──suspended──▶ suspended ──settled──▶ settled ──taken──▶ taken
///        └────────────────settled──────────────────▶┘
///
/// The library must be told to resume exactly once, and only what is suspended: the answer may come before
/// the daemon's thread has got as far as suspending.
struct AnswerState {
    private enum Stage {
        case running
        case suspended(ConnectionHandle)
        case settled(Answer)
        case taken
    }

    private var stage = Stage.running

    /// Whether this answer counts, and the connection to resume, if it waits; later answers change nothing.
    mutating func settled(_ answer: Answer) -> (isFirst: Bool, resume: ConnectionHandle?) {
        switch stage {
        case .running:
            stage = .settled(answer)
            return (true, nil)
        case .suspended(let connection):
            stage = .settled(answer)
            return (true, connection)
        case .settled, .taken:
            return (false, nil)
        }
    }

    /// The connection to resume at once, if the answer was faster.
    mutating func suspended(_ connection: ConnectionHandle) -> ConnectionHandle? {
        guard case .running = stage else { return connection }
        stage = .suspended(connection)
        return nil
    }

    /// The answer, handed out once; nil while there is none.
    mutating func take() -> Answer? {
        guard case .settled(let answer) = stage else { return nil }
        stage = .taken
        return answer
    }
}

/// The state of an answer behind its lock, shared by the responder and the daemon's thread.
final class PendingAnswer: Sendable {
    private let state = Mutex(AnswerState())
    /// Entered while a connection may be resumed: the daemon must not be stopped under such a call.
    private let resuming: DispatchGroup

    init(resuming: DispatchGroup) {
        self.resuming = resuming
    }

    /// False when another answer came first.
    @discardableResult
    func settle(_ answer: Answer) -> Bool {
        resuming.enter()
        defer { resuming.leave() }
        let (isFirst, connection) = state.withLock { $0.settled(answer) }
        connection?.resume()
        return isFirst
    }

    func newStream(capacity: Int) -> OutgoingStream {
        OutgoingStream(capacity: capacity, resuming: resuming)
    }

    /// On the daemon's thread, after the library was told to suspend.
    func suspended(_ connection: ConnectionHandle) {
        state.withLock { $0.suspended(connection) }?.resume()
    }

    func take() -> Answer? {
        state.withLock { $0.take() }
    }
}

/// A suspended connection, alive until it is resumed.
struct ConnectionHandle: @unchecked Sendable {
    // libmicrohttpd, MHD_resume_connection: "It is safe to resume a suspended connection at any time"; it
    // takes the daemon's mutex and wakes its thread.
    let pointer: OpaquePointer

    func resume() {
        MHD_resume_connection(pointer)
    }
}
