import EventModel
import Services

/// Observes how long events took from the log to the other side.
struct LatencyMeter: Sendable {
    private let seconds: Metric?
    private let sink: String

    init(_ seconds: Metric?, sink: String) {
        (self.seconds, self.sink) = (seconds, sink)
    }

    /// Events that were stored together are one observation: they come by thousands.
    func acknowledged(_ events: [StoredEvent], at now: Timestamp) {
        guard let seconds, var recorded = events.first?.recorded else { return }
        var count = 0
        for event in events {
            if event.recorded != recorded {
                seconds.observe(max(.zero, now - recorded), times: count, sink)
                (recorded, count) = (event.recorded, 0)
            }
            count += 1
        }
        seconds.observe(max(.zero, now - recorded), times: count, sink)
    }
}
