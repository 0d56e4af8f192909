import EventModel
import Ports
import SQLite
import Services

/// The one writer: everything that changes the store goes through it, several waiting changes in one fsync.
///
/// A change is a closure over the connection. Those that wait at once are run in one transaction, each in a savepoint of
/// its own; a change that throws is undone alone, the others commit. Callers continue only after the commit is on disk.
actor LogWriter {
    typealias Head = PageAppender.Head

    private let queue: BlockingQueue
    private let connection: Connection
    private let didCommit: @Sendable ([StoredEvent]) -> Void
    private var head: Head
    private var waiting: [Change] = []
    private var isDrainPlanned = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// What a change works on; thrown away when the change fails.
    struct Scope {
        let connection: Connection
        var head: Head
        var events: [StoredEvent] = []
    }

    private struct Change {
        let run: (inout Scope) throws(LogError) -> Void
        let finish: (LogError?) -> Void
    }

    /// - Parameter didCommit: gets the new events in offset order, after they are on disk, on the writer's queue.
    init(
        connection: sending Connection, head: Head, queue: BlockingQueue,
        didCommit: @escaping @Sendable ([StoredEvent]) -> Void
    ) {
        (self.connection, self.head, self.queue, self.didCommit) = (connection, head, queue, didCommit)
    }

    /// Runs a change and returns its value once it is on disk. Not cancellable: a change is done or not done.
    func perform<T: Sendable>(
        _ change: @escaping @Sendable (inout Scope) throws(LogError) -> T
    ) async throws(LogError) -> T {
        let result: Result<T, LogError> = await withCheckedContinuation { continuation in
            var value: T?
            waiting.append(
                Change(
                    run: { scope throws(LogError) in value = try change(&scope) },
                    finish: { error in
                        if let error {
                            continuation.resume(returning: .failure(error))
                        } else if let value {
                            continuation.resume(returning: .success(value))
                        }
                    }))
            planDrain()
        }
        return try result.get()
    }

    /// Changes that are enqueued before the drain's turn on the queue all join it: that is the group commit.
    private func planDrain() {
        guard !isDrainPlanned else { return }
        isDrainPlanned = true
        queue.schedule { self.assumeIsolated { $0.drain() } }
    }

    private func drain() {
        isDrainPlanned = false
        let changes = waiting
        waiting = []
        guard !changes.isEmpty else { return }
        do throws(DatabaseError) {
            try commit(changes)
        } catch {
            let failure = LogError(error, doing: "write to the store")
            connection.rollBack()
            for change in changes { change.finish(failure) }
        }
    }

    private func commit(_ changes: [Change]) throws(DatabaseError) {
        try connection.run("BEGIN IMMEDIATE")
        var committed = head
        var events: [StoredEvent] = []
        var outcomes: [(Change, LogError?)] = []
        for change in changes {
            try connection.run("SAVEPOINT change")
            var scope = Scope(connection: connection, head: committed)
            do throws(LogError) {
                try change.run(&scope)
                committed = scope.head
                events.take(scope.events)
                outcomes.append((change, nil))
            } catch {
                // A full disk ends the whole transaction, not only this savepoint: nothing of it is stored.
                guard connection.isInTransaction else {
                    throw DatabaseError(rolledBack: error.doing, cause: error.cause)
                }
                try connection.run("ROLLBACK TO change")
                outcomes.append((change, error))
            }
            try connection.run("RELEASE change")
        }
        try connection.run("COMMIT")
        head = committed
        if !events.isEmpty { didCommit(events) }
        for (change, error) in outcomes { change.finish(error) }
    }
}

extension [StoredEvent] {
    /// As `+=`, but an empty list becomes the other one without a copy: pages are long, and mostly alone in their transaction.
    mutating func take(_ more: [StoredEvent]) {
        if isEmpty { self = more } else { self += more }
    }
}
