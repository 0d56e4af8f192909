import EventModel
import Kafka

/// Makes an event's record: topic, key, value and headers (contract, section 5; CloudEvents Kafka binding).
struct RecordMaker {
    private let topic: TopicTemplate
    private let isBinary: Bool
    private let replay: String?

    init(_ settings: KafkaSink.Settings) {
        (topic, isBinary, replay) = (settings.topic, settings.isBinary, settings.replay)
    }

    func record(_ event: StoredEvent) -> KafkaRecord {
        var headers = isBinary ? BinaryMode.headers(event.body) : Self.structuredHeaders(event)
        if let replay { headers.append(("millrace-replay", replay)) }
        return KafkaRecord(
            topic: topic.name(for: event), key: Array(event.key.utf8),
            value: isBinary ? BinaryMode.data(event.body) : event.body, headers: headers)
    }

    private static func structuredHeaders(_ event: StoredEvent) -> [(name: String, value: String)] {
        [
            ("content-type", "application/cloudevents+json; charset=UTF-8"), ("ce_id", event.id.text),
            ("ce_type", event.type),
        ]
    }
}
