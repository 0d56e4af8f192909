import Dispatch
import Synchronization

/// The body of an answer that is sent while it is made: written from any task, read by the daemon's thread as fast as
/// the client takes it.
///
///     send ──▶ buffer (bounded) ──▶ daemon's thread ──▶ socket
///                 │ empty: the connection sleeps        ▲
///                 └────────── send wakes it ────────────┘
///
/// A buffer that is full refuses what comes: the writer decides whether it waits (`drained`) or gives the client up.
package final class OutgoingStream: Sendable {
    /// What became of the bytes.
    package enum Sent: Sendable, Equatable {
        case taken
        /// Nothing was taken: the client reads slower than we write.
        case full
        /// The client is gone, or the answer has ended.
        case closed
    }

    private let state: Mutex<StreamState>
    /// Entered while a connection may be resumed: the daemon must not be stopped under such a call.
    private let resuming: DispatchGroup

    init(capacity: Int, resuming: DispatchGroup) {
        state = Mutex(StreamState(capacity: capacity))
        self.resuming = resuming
    }

    /// Takes the bytes whole or not at all; at least one piece of any size fits an empty buffer.
    package func send(_ bytes: [UInt8]) -> Sent {
        act { $0.send(bytes) }
    }

    /// Ends the answer after what is buffered; what was refused before may be followed by one last piece.
    package func finish(_ last: [UInt8] = []) {
        act { $0.finish(last) }
    }

    /// Whether nobody reads any more.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Returns once everything that was sent is with the system, the client is gone, or the task is cancelled.
    package func drained() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isDrained || Task.isCancelled { return true }
                    state.drainWaiters.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            release()
        }
    }

    /// The client is gone or the answer is over; called by the daemon's thread.
    func closed() {
        act { $0.closed() }
        release()
    }

    /// Fills the library's buffer; nil when there is nothing now and the connection was told to sleep.
    func read(into buffer: UnsafeMutableRawBufferPointer, suspend: () -> ConnectionHandle) -> StreamState.Read
    {
        let read = state.withLock { $0.read(into: buffer) }
        if state.withLock({ $0.isDrained }) { release() }
        guard case .nothing = read else { return read }
        let connection = suspend()
        act { $0.suspended(connection) }
        return .nothing
    }

    @discardableResult
    private func act<Result>(_ body: (inout StreamState) -> (Result, ConnectionHandle?)) -> Result {
        resuming.enter()
        defer { resuming.leave() }
        let (result, connection) = state.withLock { body(&$0) }
        connection?.resume()
        return result
    }

    private func release() {
        let waiting = state.withLock { state in
            defer { state.drainWaiters = [] }
            return state.drainWaiters
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Where one stream stands. Pure: it says which connection is to be resumed, its owner does it.
struct StreamState {
    enum Read: Equatable {
        case bytes(Int)
        case nothing
        case end
    }

    private let capacity: Int
    private var pieces: [[UInt8]] = []
    /// How much of the first piece has been read.
    private var offset = 0
    private var buffered = 0
    private var isFinished = false
    private(set) var isClosed = false
    private var sleeping: ConnectionHandle?
    var drainWaiters: [CheckedContinuation<Void, Never>] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var isDrained: Bool { buffered == 0 || isClosed }

    mutating func send(_ bytes: [UInt8]) -> (OutgoingStream.Sent, ConnectionHandle?) {
        if isClosed || isFinished { return (.closed, nil) }
        guard buffered == 0 || buffered + bytes.count <= capacity else { return (.full, nil) }
        append(bytes)
        return (.taken, bytes.isEmpty ? nil : woken())
    }

    mutating func finish(_ last: [UInt8]) -> (Void, ConnectionHandle?) {
        if isClosed || isFinished { return ((), nil) }
        append(last)
        isFinished = true
        return ((), woken())
    }

    /// The library is done with the connection: a handle to it is worth nothing any more.
    mutating func closed() -> (Void, ConnectionHandle?) {
        isClosed = true
        (pieces, buffered, sleeping) = ([], 0, nil)
        return ((), nil)
    }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Read {
        var filled = 0
        while filled < buffer.count, let piece = pieces.first {
            let count = min(buffer.count - filled, piece.count - offset)
            piece.withUnsafeBytes { bytes in
                buffer[filled..<filled + count].copyBytes(from: bytes[offset..<offset + count])
            }
            filled += count
            offset += count
            if offset == piece.count {
                pieces.removeFirst()
                offset = 0
            }
        }
        buffered -= filled
        if filled > 0 { return .bytes(filled) }
        return isFinished || isClosed ? .end : .nothing
    }

    /// The connection sleeps; it is resumed at once when something has come meanwhile.
    mutating func suspended(_ connection: ConnectionHandle) -> (Void, ConnectionHandle?) {
        if !pieces.isEmpty || isFinished || isClosed { return ((), connection) }
        sleeping = connection
        return ((), nil)
    }

    private mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        pieces.append(bytes)
        buffered += bytes.count
    }

    private mutating func woken() -> ConnectionHandle? {
        defer { sleeping = nil }
        return sleeping
    }
}
