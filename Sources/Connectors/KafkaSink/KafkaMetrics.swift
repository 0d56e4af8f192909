import Kafka
package import Services

/// What publishing to Kafka is measured by; the metrics are the relay's.
package struct KafkaMetrics: Sendable {
    private let records: Metric
    private let queue: Metric
    private let queueBytes: Metric
    private let brokers: Metric

    /// What became of a record.
    enum Result: String {
        case acknowledged
        /// For what it is, or for a neighbour's sake: a dead letter once it was alone.
        case refused
        /// To be sent again.
        case failed
    }

    package init(_ relay: RelayMetrics) {
        (records, queue, queueBytes) = (relay.kafkaRecords, relay.kafkaQueue, relay.kafkaQueueBytes)
        brokers = relay.kafkaBrokers
    }

    func count(_ topic: String, _ result: Result, _ count: Int) {
        records.increment(topic, result.rawValue, by: Double(count))
    }

    /// What librdkafka tells of itself now and then.
    func show(_ statistics: KafkaStatistics) {
        queue.set(Double(statistics.queuedRecords))
        queueBytes.set(Double(statistics.queuedBytes))
        brokers.set(Double(statistics.brokersUp), "up")
        brokers.set(Double(statistics.brokersDown), "down")
    }
}
