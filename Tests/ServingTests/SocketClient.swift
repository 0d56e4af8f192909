import Services
import TestSupport

/// A client whose waiting blocks a thread of its own: the server under test needs those of the pool.
actor SocketClient {
    private let queue = BlockingQueue(label: "test.client")
    private var client: LoopbackClient

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(port: Int) throws {
        client = try LoopbackClient(port: port)
    }

    func send(_ text: String) throws {
        try client.send(text)
    }

    /// Everything up to and with `mark`; nil when the connection was closed before it.
    func text(until mark: String) throws -> String? {
        try client.text(until: mark)
    }
}
