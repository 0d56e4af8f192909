import Ingesting
import Ports
import Services
import Synchronization

/// All sources that are polled, as one service: a configuration that was read again replaces them while the relay runs.
///
/// A change stops every poller (each leaves at once, what it was about to store it stores) and starts the new ones from the
/// stored positions; jobs that were asked for go on with the source of their name.
final class SourceFleet: Service {
    private struct State {
        var pollers: [Assembly.Poller]
        var next: [Assembly.Poller]?
        var change = StopSignal()
    }

    let name = "sources"
    private let stopSignal = StopSignal()
    private let state: Mutex<State>

    init(_ pollers: [Assembly.Poller]) {
        state = Mutex(State(pollers: pollers))
    }

    var controls: [any SourceControl] { state.withLock { $0.pollers.map(\.control) } }

    /// Takes new pollers in the place of those that run.
    /// - Parameter make: gets the jobs of the sources that are polled, by their names.
    func replace(_ make: ([String: JobBoard]) -> [Assembly.Poller]) {
        let known = state.withLock { $0.next ?? $0.pollers }
        let pollers = make(Dictionary(known.map { ($0.control.name, $0.board) }) { first, _ in first })
        let change = state.withLock { state in
            state.next = pollers
            return state.change
        }
        change.stop()
    }

    func run() async throws {
        while !stopSignal.isStopped, !Task.isCancelled {
            let (pollers, change) = state.withLock { state in
                if let next = state.next { (state.pollers, state.change) = (next, StopSignal()) }
                state.next = nil
                return (state.pollers, state.change)
            }
            try await run(pollers, until: change)
        }
    }

    private func run(_ pollers: [Assembly.Poller], until change: StopSignal) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for poller in pollers { group.addTask { try await poller.service.run() } }
            await withTaskGroup(of: Void.self) { waiting in
                waiting.addTask { await self.stopSignal.wait() }
                waiting.addTask { await change.wait() }
                await waiting.next()
                waiting.cancelAll()
            }
            for poller in pollers { await poller.service.stop() }
            try await group.waitForAll()
        }
    }

    func stop() async {
        stopSignal.stop()
    }
}
