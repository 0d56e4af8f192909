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
        settings.replay = replay
        sink = try KafkaSink(settings, logger: logger)
    }

    package var batchLimit: Int { 1000 }

    package func open() async -> Bool { await sink.open() }

    package func deliver(_ events: [StoredEvent]) async -> ReplayAnswer {
        .settled(await sink.deliver(events))
    }

    package func close() async { await sink.close() }
}
