import CRdKafka
import Foundation
import Services
import Synchronization

/// Routes librdkafka's errors, log lines and statistics into ours.
struct KafkaReporter: Sendable {
    let logger: Logger
    var onStatistics: @Sendable (KafkaStatistics) -> Void = { _ in }
    var trouble = KafkaTrouble()

    func report(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_ERROR: reportError(event)
        case RD_KAFKA_EVENT_LOG: reportLine(event)
        case RD_KAFKA_EVENT_STATS: reportStatistics(event)
        default: break
        }
    }

    private func reportError(_ event: OpaquePointer) {
        let cause = String(cString: rd_kafka_event_error_string(event))
        // That all brokers are down comes last and says nothing of the reason.
        if rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN { trouble.met(cause) }
        if rd_kafka_event_error_is_fatal(event) != 0 {
            logger.error("Kafka client failed for good", [.cause: .text(cause)])
        } else {
            logger.warning("Kafka reports", [.cause: .text(cause)])
        }
    }

    /// What it logs as an error comes as an error event too.
    private func reportLine(_ event: OpaquePointer) {
        var facility: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        var level: Int32 = 0
        guard rd_kafka_event_log(event, &facility, &text, &level) == 0, let text else { return }
        logger.debug("librdkafka", [.cause: .text(String(cString: text))])
    }

    private func reportStatistics(_ event: OpaquePointer) {
        guard let text = rd_kafka_event_stats(event) else { return }
        do {
            onStatistics(try KafkaStatistics(json: Data(bytes: text, count: strlen(text))))
        } catch {
            logger.debug("Kafka statistics cannot be read", [.cause: .text("\(type(of: error))")])
        }
    }
}

/// What a client was last told is wrong, for calls whose own error only says that nobody answers.
final class KafkaTrouble: Sendable {
    private let last = Mutex<String?>(nil)

    func met(_ cause: String) {
        last.withLock { $0 = cause }
    }

    func explain(_ error: KafkaError) -> KafkaError {
        guard let cause = last.withLock({ $0 }) else { return error }
        return KafkaError(error.kind, doing: error.doing, cause: "\(error.cause): \(cause)")
    }
}
