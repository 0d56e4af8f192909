package import EventModel
import Persisting
package import Ports
import Synchronization

/// What people asked of one source: taken in from any task, done by the source's poller one after the other.
///
/// In memory: a job that a restart interrupts is asked for again, and reading again adds deliveries, never events (L5).
package final class JobBoard: Sendable {
    private struct State {
        /// Ascending by number.
        var jobs: [SourceJob] = []
        var nextID: Int64 = 1
        var waiting: CheckedContinuation<Void, Never>?
    }

    /// How many may wait, and how many finished ones are remembered.
    static let queued = 20
    static let remembered = 100
    /// How many ranges of new events a job names; the counts go on.
    static let ranges = 1000

    private let state = Mutex(State())

    package init() {}

    /// - Throws: `.full` when too many wait.
    package func submit(
        _ kind: SourceJob.Kind, _ window: Window?, at now: Timestamp
    ) throws(JobRefusal) -> SourceJob {
        let (job, waiting) = state.withLock { state -> (SourceJob?, CheckedContinuation<Void, Never>?) in
            guard state.jobs.count(where: { $0.state == .queued }) < Self.queued else { return (nil, nil) }
            let job = SourceJob(id: state.nextID, kind: kind, window: window, created: now)
            state.nextID += 1
            state.jobs.append(job)
            Self.forget(&state.jobs)
            defer { state.waiting = nil }
            return (job, state.waiting)
        }
        guard let job else { throw .full }
        waiting?.resume()
        return job
    }

    /// The newest first.
    package var jobs: [SourceJob] {
        state.withLock { $0.jobs.reversed() }
    }

    /// The next job, which runs from now on.
    func take(at now: Timestamp) -> SourceJob? {
        state.withLock { state in
            guard let place = state.jobs.firstIndex(where: { $0.state == .queued }) else { return nil }
            state.jobs[place].state = .running
            state.jobs[place].started = now
            return state.jobs[place]
        }
    }

    /// Work that was under way when its poller was stopped is done by the next one.
    func putBack() {
        state.withLock { state in
            for place in state.jobs.indices where state.jobs[place].state == .running {
                let old = state.jobs[place]
                state.jobs[place] = SourceJob(
                    id: old.id, kind: old.kind, window: old.window, created: old.created)
            }
        }
    }

    func update(_ job: SourceJob) {
        state.withLock { state in
            guard let place = state.jobs.firstIndex(where: { $0.id == job.id }) else { return }
            state.jobs[place] = job
        }
    }

    /// Returns when a job waits or the task is cancelled. For one waiter: the source's poller.
    func waitForWork() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || state.jobs.contains(where: { $0.state == .queued }) { return true }
                    state.waiting = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }

    private static func forget(_ jobs: inout [SourceJob]) {
        let finished = jobs.count { $0.state == .done || $0.state == .failed }
        guard finished > remembered,
            let place = jobs.firstIndex(where: { $0.state == .done || $0.state == .failed })
        else { return }
        jobs.remove(at: place)
    }
}

extension SourceJob {
    mutating func count(_ result: AppendResult) {
        read += result.read
        stored += result.stored
        updated += result.updated
        duplicate += result.duplicate
        rejected += result.rejected
        tooOld += result.tooOld
        offsets += result.offsets.prefix(max(0, JobBoard.ranges - offsets.count))
    }

    mutating func ended(_ failure: String?, at now: Timestamp) {
        state = failure == nil ? .done : .failed
        if failure == nil { progress = 1 }
        (finished, self.failure) = (now, failure)
    }
}
