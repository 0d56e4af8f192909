package import EventModel
package import Kafka
package import Ports
package import Services

/// Sends events of a replay to Kafka: at least once, with an idempotent producer of its own beside the live flow's.
///
/// Each record carries the header `millrace-replay`. The live flow's transactions and its position know nothing of it.
package struct KafkaReplay: ReplayTarget {
    private let sink: KafkaSink

    /// - Parameters:
    ///   - settings: the live flow's, with the topic to replay into.
    ///   - replay: its id.
    package init(_ settings: KafkaSink.Settings, replay: String, logger: Logger) throws(KafkaError) {
        var settings = settings
        // What it sends is no part of the live flow, and is not measured as such.
        (settings.replay, settings.metrics) = (replay, nil)
        sink = try KafkaSink(settings, logger: logger)
    }

    package var batchLimit: Int { 1000 }

    package func open() async -> Bool { await sink.open() }

    package func deliver(_ events: [StoredEvent]) async -> ReplayAnswer {
        let failures = await sink.begin(events).failures()
        var outcomes: [Outcome] = []
        for (place, event) in events.enumerated() {
            switch failures[place] {
            case nil: outcomes.append(.accepted)
            // A broker refuses a whole batch for one record in it: only what it refuses alone is refused.
            case .refused where events.count > 1:
                outcomes.append(await sink.begin([event]).failures()[0] ?? .accepted)
            case .some(let outcome): outcomes.append(outcome)
            }
        }
        return .settled(outcomes)
    }

    package func close() async { await sink.close() }
}
