import EventModel
import Persisting

/// Events that were read while those before them were on their way.
struct ReadAhead: Sendable {
    struct Place: Equatable, Sendable {
        let after: Int64
        let limit: Int
        let maxBytes: Int
    }

    let place: Place
    let events: Result<[StoredEvent], LogError>

    static func read(_ log: EventLog, _ place: Place) async -> ReadAhead {
        do throws(LogError) {
            let events = try await log.events(
                after: place.after, limit: place.limit, maxBytes: place.maxBytes)
            return ReadAhead(place: place, events: .success(events))
        } catch {
            return ReadAhead(place: place, events: .failure(error))
        }
    }

    /// What was read ahead, when it is what comes next and there is any; an end of the log may be none any more.
    func events(at place: Place) -> [StoredEvent]? {
        guard place == self.place, case .success(let events) = events, !events.isEmpty else { return nil }
        return events
    }
}
