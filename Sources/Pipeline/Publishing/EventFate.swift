import EventModel
import Persisting

/// What a subscription has done, or will do, with one event. Pure.
package enum EventFate: String, Sendable, CaseIterable {
    /// Its account begins later: the event is not its business.
    case before
    case delivered
    case filtered
    case dead
    /// It failed and will be tried again.
    case waiting
    /// Not settled yet.
    case pending
    /// Not settled, and the subscription is paused or disabled.
    case held

    init(
        _ event: StoredEvent, _ sink: SinkRecord, _ selection: SinkSelection, _ trouble: EventTrouble?
    ) {
        let isSettled =
            event.offset <= sink.progress.position
            || sink.progress.settled.contains { $0.contains(event.offset) }
        switch trouble {
        case .dead: self = .dead
        case .waiting: self = sink.isActive ? .waiting : .held
        case nil where event.offset <= sink.start: self = .before
        // By the patterns of today: what was filtered by those of before is told as delivered.
        case nil where isSettled: self = selection.wants(event) ? .delivered : .filtered
        case nil: self = sink.isActive ? .pending : .held
        }
    }
}
