package import EventModel
import Foundation
package import Kafka
package import Ports
package import Services
import Synchronization

/// Publishes the log to Kafka topics with an idempotent producer, in log order (contract, section 5).
///
/// A record's key is the event's `partitionkey`, spread over partitions as the Java clients do (`murmur2_random`), so all
/// revisions of a row stay in order. Brokers that are away are waited for without end: the position stays, the log keeps
/// growing, nothing is lost. A record that a broker refuses for good comes back as refused, with those that stood in one request
/// with it; everything else is to be tried again.
package final class KafkaSink: BatchSink {
    /// How the sink publishes; all of it from the configuration.
    package struct Settings: Sendable {
        package var brokers: String
        package var topic: TopicTemplate
        package var isBinary: Bool
        /// Made at start when they are missing.
        package var topics: [KafkaTopic]
        /// librdkafka's own properties, as configured; the relay's own are added to them.
        package var properties: [String: Secret]
        /// The replay whose id every record carries; nil in the live flow.
        package var replay: String?
        package var metrics: KafkaMetrics?

        package init(
            brokers: String, topic: TopicTemplate, isBinary: Bool, topics: [KafkaTopic],
            properties: [String: Secret], metrics: KafkaMetrics? = nil
        ) {
            (self.brokers, self.topic, self.isBinary) = (brokers, topic, isBinary)
            (self.topics, self.properties, self.metrics) = (topics, properties, metrics)
        }

        /// What both kinds of producers have in common; the configured properties may change it.
        func producerProperties(_ own: [String: String]) -> [String: String] {
            var all = [
                "client.id": "millrace", "partitioner": "murmur2_random", "statistics.interval.ms": "15000",
            ]
            for (name, value) in properties { all[name] = value.reveal() }
            all["bootstrap.servers"] = brokers
            return all.merging(own) { _, own in own }
        }

        func producer(_ properties: [String: String], _ logger: Logger) throws(KafkaError) -> KafkaProducer {
            try KafkaProducer(properties: properties, logger: logger) { [metrics] in metrics?.show($0) }
        }
    }

    private let settings: Settings
    private let records: RecordMaker
    private let logger: Logger
    private let blocking = DispatchQueue(label: "millrace.kafka.admin")
    /// Replaced after a fatal error: a handle that lost its idempotence never works again.
    private let producer: Mutex<KafkaProducer>

    /// Connects lazily: brokers need not be there yet.
    package init(_ settings: Settings, logger: Logger) throws(KafkaError) {
        (self.settings, self.logger) = (settings, logger)
        records = RecordMaker(settings)
        producer = Mutex(try Self.makeProducer(settings, logger))
    }

    package func open() async -> Bool {
        let isLeaving = Atomic(false)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                blocking.async {
                    let producer = self.producer.withLock { $0 }
                    let topics = TopicKeeper(self.settings, logger: self.logger)
                    let existing = topics.existing(producer) { isLeaving.load(ordering: .relaxed) }
                    if let existing { topics.makeMissing(existing, producer) }
                    continuation.resume(returning: existing != nil)
                }
            }
        } onCancel: {
            isLeaving.store(true, ordering: .relaxed)
        }
    }

    package func begin(_ events: [StoredEvent]) -> any BatchDelivery {
        let producer = self.producer.withLock { $0 }
        let records = self.records.records(events)
        let delivery = producer.begin(records)
        let tally = settings.metrics.map { RecordTally(records, $0) }
        return Batch(delivery: delivery, producer: producer, tally: tally) { self.replaceProducer(producer) }
    }

    package func close() async {
        let producer = self.producer.withLock { $0 }
        await withCheckedContinuation { continuation in
            blocking.async {
                producer.close()
                continuation.resume()
            }
        }
    }

    /// A batch whose records are with librdkafka.
    private struct Batch: BatchDelivery {
        let delivery: KafkaDelivery
        let producer: KafkaProducer
        let tally: RecordTally?
        let replaceProducer: @Sendable () -> Void

        func failures() async -> [Int: Outcome] {
            let failures = await producer.failures(of: delivery)
            if failures.contains(where: { $0.value.kind == .fatal }) { replaceProducer() }
            tally?.settled(
                .acknowledged, except: failures.mapValues { $0.kind == .record ? .refused : .failed })
            return failures.mapValues { error in
                let failure = Outcome.Failure(reason: error.cause)
                return error.kind == .record ? .refused(failure) : .retry(failure)
            }
        }
    }

    // MARK: - Producer and topics

    private func replaceProducer(_ broken: KafkaProducer) {
        do throws(KafkaError) {
            let fresh = try Self.makeProducer(settings, logger)
            let isReplaced = producer.withLock { current in
                guard current === broken else { return false }
                current = fresh
                return true
            }
            guard isReplaced else { return }
            // What it still holds is settled as purged; its last delivery lets it go.
            broken.purge()
            logger.warning("Kafka producer replaced after a fatal error")
        } catch {
            logger.error("Kafka producer cannot be replaced", [.cause: .text(error.description)])
        }
    }

    private static func makeProducer(_ settings: Settings, _ logger: Logger) throws(KafkaError)
        -> KafkaProducer
    {
        // Without end: giving up is the relay's decision, and it never gives up a whole broker.
        let waiting = settings.properties["message.timeout.ms"] == nil ? ["message.timeout.ms": "0"] : [:]
        let own = ["enable.idempotence": "true", "acks": "all"].merging(waiting) { own, _ in own }
        return try settings.producer(settings.producerProperties(own), logger)
    }
}
