import Configuration
import Kafka
import KafkaSink
import Persisting
import Ports
import Publishing
import Replaying
import Services

extension Assembly {
    func replayKeeper(_ engine: DeliveryEngine) throws(LogError) -> ReplayKeeper {
        let book = SubscriptionBook(engine)
        return try ReplayKeeper(
            log, targets: { record in await target(record, book) }, timekeeper: timekeeper, draw: Self.draw,
            logger: logger)
    }

    /// Nil when there is no such target any more: a subscription that was deleted, a configuration without Kafka.
    private func target(_ record: ReplayRecord, _ book: SubscriptionBook) async -> (any ReplayTarget)? {
        guard record.target == SinkName.kafka else {
            do throws(BookError) {
                return try await book.replayTarget(record.target, replay: record.id)
            } catch {
                logger.warning("replay has no target", [.name: .text(record.id), .cause: .text(error.cause)])
                return nil
            }
        }
        guard let kafka = settings.kafka else { return nil }
        do throws(KafkaError) {
            return try KafkaReplay(
                kafkaSink(kafka, topic: record.topic ?? kafka.topic), replay: record.id, logger: logger)
        } catch {
            logger.warning("replay has no target", [.name: .text(record.id), .cause: .text(error.cause)])
            return nil
        }
    }
}
