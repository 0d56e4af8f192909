import Kafka

/// Counts what became of the records of one batch, by topic.
struct RecordTally: Sendable {
    private let topics: [(name: String, count: Int)]
    private let metrics: KafkaMetrics

    /// Events of one kind mostly come together: runs of a topic are kept, not a topic for each.
    init(_ records: [KafkaRecord], _ metrics: KafkaMetrics) {
        var topics: [(name: String, count: Int)] = []
        for record in records {
            if topics.last?.name == record.topic {
                topics[topics.count - 1].count += 1
            } else {
                topics.append((record.topic, 1))
            }
        }
        (self.topics, self.metrics) = (topics, metrics)
    }

    /// - Parameter others: what became of single records, by their place, instead.
    func settled(_ result: KafkaMetrics.Result, except others: [Int: KafkaMetrics.Result] = [:]) {
        var first = 0
        for (topic, count) in topics {
            let places = first..<(first + count)
            let apart = others.filter { places.contains($0.key) }
            for other in apart.values { metrics.count(topic, other, 1) }
            if apart.count < count { metrics.count(topic, result, count - apart.count) }
            first += count
        }
    }
}
