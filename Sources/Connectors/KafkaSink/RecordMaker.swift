import EventModel
import Kafka

/// Makes an event's record: topic, key, value and headers (contract, section 5; CloudEvents Kafka binding).
struct RecordMaker {
    private let topic: TopicTemplate
    private let isBinary: Bool

    init(_ settings: KafkaSink.Settings) {
        (topic, isBinary) = (settings.topic, settings.isBinary)
    }

    func record(_ event: StoredEvent) -> KafkaRecord {
        KafkaRecord(
            topic: topic.name(for: event), key: Array(event.key.utf8),
            value: isBinary ? BinaryMode.data(event.body) : event.body,
            headers: isBinary ? BinaryMode.headers(event.body) : Self.structuredHeaders(event))
    }

    private static func structuredHeaders(_ event: StoredEvent) -> [(name: String, value: String)] {
        [
            ("content-type", "application/cloudevents+json; charset=UTF-8"), ("ce_id", event.id.text),
            ("ce_type", event.type),
        ]
    }
}
