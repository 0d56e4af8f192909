import EventModel
import Persisting
import Ports
import Services
import Synchronization

/// Reads from the store for lanes that are behind and for rows that are due, one request after the other in the order
/// they came, so that a lane far behind holds up nobody for longer than one read.
final class LaneLoader: Sendable {
    private enum Request: Sendable {
        case read(Lane, after: Int64)
        case load(Lane, lead: Int64, offsets: [Int64])
    }

    private let surroundings: DeliveryEngine.Surroundings
    private let requests = Mutex<[Request]>([])
    private let bell = Bell()

    private static let afterFailure: Duration = .seconds(1)

    init(_ surroundings: DeliveryEngine.Surroundings) {
        self.surroundings = surroundings
    }

    func read(_ lane: Lane, after offset: Int64) {
        requests.withLock { $0.append(.read(lane, after: offset)) }
        bell.ring()
    }

    func load(_ lane: Lane, _ lead: Int64, _ offsets: [Int64]) {
        requests.withLock { $0.append(.load(lane, lead: lead, offsets: offsets)) }
        bell.ring()
    }

    func run() async {
        while !Task.isCancelled {
            await bell.wait()
            while !Task.isCancelled, let request = next() { await serve(request) }
        }
        // As for the clock: lanes know their loader.
        requests.withLock { $0 = [] }
    }

    private func next() -> Request? {
        requests.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    private func serve(_ request: Request) async {
        do throws(LogError) {
            switch request {
            case .read(let lane, let offset):
                lane.received(try await surroundings.log.events(after: offset, limit: 512, maxBytes: 4 << 20))
            case .load(let lane, let lead, let offsets):
                var events: [StoredEvent] = []
                for offset in offsets {
                    if let event = try await surroundings.log.event(at: offset) { events.append(event) }
                }
                lane.loaded(lead, events)
            }
        } catch {
            surroundings.logger.warning("events could not be read", [.cause: .text(error.description)])
            requests.withLock { $0.append(request) }
            do throws(CancellationError) {
                try await surroundings.timekeeper.sleep(for: Self.afterFailure)
            } catch { return }
        }
    }
}
