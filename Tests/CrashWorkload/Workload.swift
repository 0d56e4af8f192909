package import EventModel
package import Persisting
import Ports

/// A relay's life on a store, small and the same for every seed: pages of visits, readings of a customer with deletions,
/// two sinks that settle, retry and give up, retention. Every step is a function of its number, the clock too, so that
/// the same steps leave the same bytes, and a life that was cut off can be gone on with.
package struct Workload: Sendable {
    package let seed: UInt64
    package let steps: Int

    package static let visits = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
    package static let follow = SourceIdentity(account: "acme-tanma", kind: .followRecords, name: "follow")
    package static let minute: Duration = .seconds(60)

    package init(seed: UInt64, steps: Int = 10) {
        (self.seed, self.steps) = (seed, steps)
    }

    /// Goes on with a store from where it is to the end.
    /// - Parameters:
    ///   - note: what the world sees, as it happens.
    ///   - persists: whether a step that fails is tried again, or ends the run.
    package func run(
        _ path: String, persists: Bool = false, _ note: @escaping @Sendable (Notes.Line) -> Void
    ) async throws(LogError) {
        let clock = StepClock()
        let patience = Patience(persists: persists)
        let log = try await patience.trying { () throws(LogError) in
            try EventLog(path: path, timekeeper: clock)
        }
        let life = Life(workload: self, log: log, clock: clock, patience: patience, note: note)
        try await life.run()
    }
}

/// How often a failed call is made again before the error counts.
struct Patience: Sendable {
    let persists: Bool

    func trying<T>(
        _ body: () async throws(LogError) -> T
    ) async throws(LogError) -> T {
        for _ in 0..<(persists ? 200 : 0) {
            do throws(LogError) {
                return try await body()
            } catch {
                // A disk in trouble says that it is in trouble: nothing that a person would have to repair.
                guard [.storage, .missing].contains(error.kind) else { throw error }
            }
        }
        return try await body()
    }
}

/// Stands where the step has put it.
package final class StepClock: Timekeeper {
    private let step = Shared(0)
    package init() {}
    package var now: Timestamp { Timestamp(seconds: 1_790_000_000) + Workload.minute * step.value }
    package var elapsed: Duration { Workload.minute * step.value }
    func set(_ number: Int) { step.value = number }
    package func sleep(for duration: Duration) async throws(CancellationError) {}
}
