import EventModel
import Kafka

/// Makes events' records: topic, key, value and headers (contract, section 5; CloudEvents Kafka binding).
struct RecordMaker: Sendable {
    private let topic: TopicTemplate
    private let isBinary: Bool
    private let replay: String?

    init(_ settings: KafkaSink.Settings) {
        (topic, isBinary, replay) = (settings.topic, settings.isBinary, settings.replay)
    }

    /// A topic's name is made once for events that follow each other.
    func records(_ events: [StoredEvent]) -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        records.reserveCapacity(events.count)
        var last: (event: StoredEvent, topic: String)?
        for event in events {
            if let last, last.event.hasTopic(of: event) {
                records.append(record(event, last.topic))
            } else {
                let name = topic.name(for: event)
                last = (event, name)
                records.append(record(event, name))
            }
        }
        return records
    }

    private func record(_ event: StoredEvent, _ topic: String) -> KafkaRecord {
        var headers = isBinary ? BinaryMode.headers(event.body) : Self.structuredHeaders(event)
        if let replay { headers.append(("millrace-replay", replay)) }
        return KafkaRecord(
            topic: topic, key: event.key, value: isBinary ? BinaryMode.data(event.body) : event.body,
            headers: headers)
    }

    private static func structuredHeaders(_ event: StoredEvent) -> [(name: String, value: String)] {
        [
            ("content-type", "application/cloudevents+json; charset=UTF-8"), ("ce_id", event.id.text),
            ("ce_type", event.type),
        ]
    }
}

extension StoredEvent {
    /// Whether everything a topic's name is made of is the same.
    fileprivate func hasTopic(of other: StoredEvent) -> Bool {
        type == other.type && kind == other.kind && account == other.account
    }
}
