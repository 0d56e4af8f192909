/// A part of the relay that runs until it is told to stop.
///
/// `run()` returns only after `stop()` was called or its task was cancelled; an earlier return, or a throw, ends the
/// whole group with this service's name. `stop()` is called once, from any task, and must not block: it asks the service
/// to take no new work and to finish what it has. Cancellation comes after the deadline and means: leave now, what is
/// unsettled will be done again at the next start.
package protocol Service: Sendable {
    var name: String { get }
    func run() async throws
    func stop() async
}
