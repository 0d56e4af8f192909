package import EventModel

/// The one source of time and of waiting, passed in everywhere, so that a test can run a week in a second.
package protocol Timekeeper: Sendable {
    /// Wall-clock time. It may jump; nothing may rely on it moving forward.
    var now: Timestamp { get }
    /// Time since some fixed instant that never goes back, for measuring and for limits.
    var elapsed: Duration { get }
    /// Returns after `duration`, or throws `CancellationError` at once when the task is cancelled.
    func sleep(for duration: Duration) async throws(CancellationError)
}
