import EventModel
import Services

extension Section {
    /// Properties that decide whether the relay keeps its promises, with the key to use instead where there is one.
    private static let ownedProperties = [
        "acks": "kafka.delivery", "request.required.acks": "kafka.delivery",
        "enable.idempotence": "kafka.delivery",
        "transactional.id": "relay.name", "group.id": "relay.name",
        "bootstrap.servers": "kafka.brokers", "metadata.broker.list": "kafka.brokers",
        "partitioner": "nothing: records of a key stay where Java clients would put them",
    ]

    /// Reads `kafka`.
    mutating func kafka() -> Settings.Kafka {
        var kafka = Settings.Kafka()
        require("brokers", .brokers, into: &kafka.brokers)
        take("topic", .topic, into: &kafka.topic)
        warnOfSplitEntity(kafka.topic)
        take("delivery", .oneOf(Settings.Delivery.allCases), into: &kafka.delivery)
        // `data` has no form in the CloudEvents Kafka binding.
        take("mode", .oneOf([.structured, .binary]), into: &kafka.mode)
        take("partitions", .integer(1...10_000), into: &kafka.partitions)
        take("replication", .integer(1...100), into: &kafka.replication)
        takePairs("topic_properties", of: .text("a topic property's value"), into: &kafka.topicProperties)
        take("from", .startPoint, into: &kafka.from)
        takeEvents(into: &kafka.events)
        takePairs("properties", of: .propertyValue, into: &kafka.properties)
        for name in kafka.properties.keys.sorted() {
            guard let instead = Self.ownedProperties[name] else { continue }
            refuse("properties.\(name)", "belongs to the relay", "instead: \(instead)")
        }
        return kafka
    }

    /// Reads `events`: all of them unless given; patterns that can never match are warned of.
    mutating func takeEvents(into events: inout [NamePattern]) {
        events = [NamePattern("*")].compactMap { $0 }
        takeList("events", of: .pattern, isEmptyAllowed: false, into: &events)
        warnOfPatterns("events", events) { pattern in
            EventTypes.all.contains { pattern.matches($0) }
                ? nil : ("matches no event type", "known: \(EventTypes.all.joined(separator: ", "))")
        }
    }

    /// - Parameter judge: what to say of a pattern, nil when it is fine.
    func warnOfPatterns(_ key: String, _ patterns: [NamePattern], _ judge: (NamePattern) -> (String, String)?)
    {
        // After a wrong item the places no longer fit.
        guard !reading.hasProblem(at: child(key)) else { return }
        for (index, pattern) in patterns.enumerated() {
            guard let (message, known) = judge(pattern) else { continue }
            let path = "\(child(key))[\(index)]"
            reading.warn(path, "\(reading.subject(path, pattern.text)) \(message)", known)
        }
    }

    private func warnOfSplitEntity(_ topic: String) {
        guard topic.contains("{type}") else { return }
        reading.warn(
            child("topic"),
            "{type} puts the revisions of one row into several topics, where their order is lost",
            "{entity} keeps them together")
    }
}

/// The types an event can have (contract, section 3); `millrace.test` is not among them, since it is never stored.
enum EventTypes {
    static let all = SourceKind.allCases.flatMap(\.eventTypes) + OperationalEvents.types
}

extension Rule where Output == String {
    /// Kafka's own limits of a topic's name are 249 of these characters, and neither `.` nor `..`.
    fileprivate static var topic: Rule {
        Rule("letters, digits, . _ - and {entity} {type} {account} {vendor}, at most 200") { text in
            Settings.Kafka.isTopic(text) ? .accepted(text) : .refused("is not a topic")
        }
    }
}

extension Settings.Kafka {
    /// Whether it is a topic's name, or a template of one.
    package static func isTopic(_ text: String) -> Bool {
        var literal = text
        for placeholder in ["{entity}", "{type}", "{account}", "{vendor}"] {
            literal = literal.replacing(placeholder, with: "x")
        }
        let isLegal = literal.utf8.allSatisfy { $0.isLetter || $0.isDigit || "._-".utf8.contains($0) }
        return isLegal && (1...200).contains(text.utf8.count) && text != "." && text != ".."
    }
}
