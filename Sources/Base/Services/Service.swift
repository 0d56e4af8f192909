/// A part of the relay that runs until it is told to stop.
///
/// `start()` is called once before any `run()`, in the order of the levels: what it settles (where a sink begins) is
/// settled before the levels after it do anything. `run()` returns only after `stop()` was called or its task was
/// cancelled; an earlier return, or a throw, ends the whole group with this service's name. `stop()` is called once, from
/// any task, and must not block: it asks the service to take no new work and to finish what it has. Cancellation comes
/// after the deadline and means: leave now, what is unsettled will be done again at the next start.
package protocol Service: Sendable {
    var name: String { get }
    func start() async throws
    func run() async throws
    func stop() async
}

extension Service {
    package func start() async throws {}
}
