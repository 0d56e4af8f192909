import Kafka
import Services

/// Looks for the cluster and its topics, and makes those that are missing. Blocking: runs on the sink's own queue.
struct TopicKeeper {
    /// How long a cluster may take to create topics. Bounded: a broker may never answer an admin request.
    static let adminTimeout: Duration = .seconds(5)
    /// One look for the cluster; between two of them the relay may want to leave.
    static let lookTimeout: Duration = .milliseconds(500)
    static let looksBeforeWarning = 10

    private let settings: KafkaSink.Settings
    private let logger: Logger

    init(_ settings: KafkaSink.Settings, logger: Logger) {
        (self.settings, self.logger) = (settings, logger)
    }

    /// Looks for the cluster until it answers: nothing can be published before. Nil when the relay wants to leave first.
    func existing(_ producer: KafkaProducer, isLeaving: () -> Bool) -> [String: Int]? {
        var failures = 0
        while !isLeaving() {
            do throws(KafkaError) {
                return try producer.topics(timeout: Self.lookTimeout)
            } catch {
                failures += 1
                guard failures == Self.looksBeforeWarning else { continue }
                logger.warning(
                    "Kafka does not answer, events wait in the log",
                    [.brokers: .text(settings.brokers), .cause: .text(error.cause)])
            }
        }
        return nil
    }

    /// Topics that cannot be made are a warning: publishing is tried all the same.
    func makeMissing(_ existing: [String: Int], _ producer: KafkaProducer) {
        for topic in settings.topics {
            guard let partitions = existing[topic.name], partitions < topic.partitions else { continue }
            logger.warning(
                "topic has fewer partitions than configured",
                [.topic: .text(topic.name), .count: .count(partitions)])
        }
        let missing = settings.topics.filter { existing[$0.name] == nil }
        guard !missing.isEmpty else { return }
        do throws(KafkaError) {
            try producer.create(missing, timeout: Self.adminTimeout)
            logger.info("topics created", [.count: .count(missing.count)])
        } catch {
            logger.warning(
                "topics could not be created, publishing is tried all the same",
                [.cause: .text(error.description)])
        }
    }
}
