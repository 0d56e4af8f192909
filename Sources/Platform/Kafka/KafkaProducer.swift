import CRdKafka
import Foundation
package import Services
import Synchronization

/// One record for a topic.
package struct KafkaRecord: Sendable {
    package let topic: String
    package let key: [UInt8]
    package let value: [UInt8]
    package let headers: [(name: String, value: String)]

    package init(topic: String, key: [UInt8], value: [UInt8], headers: [(name: String, value: String)]) {
        (self.topic, self.key, self.value, self.headers) = (topic, key, value, headers)
    }
}

/// A producer over librdkafka: hands over batches and waits for their delivery reports.
///
/// Records are copied; reports arrive on the poller's thread and resume whoever waits. Brokers that are away are waited for
/// as long as the configuration says (`message.timeout.ms`).
package final class KafkaProducer: Sendable {
    private let handle: KafkaHandle
    private let poller: KafkaPoller
    private let logger: Logger
    private let isClosed = Mutex(false)

    /// - Parameter properties: librdkafka's own; the caller decides about idempotence and acknowledgements.
    package init(properties: [String: String], logger: Logger) throws(KafkaError) {
        let handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, properties: properties,
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG)
        guard let queue = rd_kafka_queue_get_main(handle.pointer) else {
            throw KafkaError(.configuration, doing: "make a Kafka producer", cause: "it has no main queue")
        }
        self.handle = handle
        self.logger = logger
        let reporter = KafkaReporter(logger: logger)
        poller = KafkaPoller(handle, queue: queue, name: "millrace-kafka") { event in
            Self.serve(event, reporter)
        }
    }

    deinit {
        close()
    }

    /// Produces records in order and waits until each has its report: nil where it was acknowledged.
    ///
    /// When the task is cancelled, what is not acknowledged yet is purged and reported so.
    package func send(_ records: [KafkaRecord]) async -> [KafkaError?] {
        guard !records.isEmpty else { return [] }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let batch = DeliveryBatch(count: records.count, continuation: continuation)
                var isFull = false
                for (place, record) in records.enumerated() {
                    // Once the queue is full nothing behind may slip in: order is kept by sending the rest later.
                    isFull = isFull || !produce(record, place, batch)
                    if isFull {
                        batch.settled(place, KafkaError(RD_KAFKA_RESP_ERR__QUEUE_FULL, doing: "produce"))
                    }
                }
                if Task.isCancelled { purge() }
            }
        } onCancel: {
            purge()
        }
    }

    /// Ends the poller and lets the handle go; what is not acknowledged is dropped. Later calls do nothing.
    package func close() {
        let wasClosed = isClosed.withLock { closed in
            defer { closed = true }
            return closed
        }
        if !wasClosed { poller.end() }
    }

    /// Whether librdkafka accepts a property and its value; the error names the property and never the value.
    package static func refusal(ofProperty name: String, value: String) -> KafkaError? {
        KafkaHandle.refusal(of: name, value: value)
    }

    var pointer: OpaquePointer { handle.pointer }

    private func purge() {
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    }

    /// False when the queue is full: the record has no report then.
    private func produce(_ record: KafkaRecord, _ place: Int, _ batch: DeliveryBatch) -> Bool {
        // Owned by librdkafka until the report, which takes it back.
        let ticket = Unmanaged.passRetained(DeliveryTicket(batch: batch, place: place))
        let headers = rd_kafka_headers_new(record.headers.count)
        for header in record.headers {
            rd_kafka_header_add(headers, header.name, -1, header.value, header.value.utf8.count)
        }
        let code = millrace_rd_kafka_produce(
            handle.pointer, record.topic, record.key, record.key.count, record.value, record.value.count,
            headers,
            ticket.toOpaque())
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            // Refused at once: headers and ticket stay ours.
            rd_kafka_headers_destroy(headers)
            ticket.release()
            if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
            batch.settled(place, KafkaError(code, doing: "produce to \(record.topic)"))
        }
        return true
    }

    private static func serve(_ event: OpaquePointer, _ reporter: KafkaReporter) {
        guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return reporter.report(event) }
        while let message = rd_kafka_event_message_next(event) {
            guard let opaque = message.pointee._private else { continue }
            let ticket = Unmanaged<DeliveryTicket>.fromOpaque(opaque).takeRetainedValue()
            let code = message.pointee.err
            let error = code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code, doing: "deliver to Kafka")
            ticket.batch.settled(ticket.place, error)
        }
    }
}

/// A batch's reports as they come in; resumes the sender with the last.
private final class DeliveryBatch: Sendable {
    private struct State {
        var errors: [KafkaError?]
        var open: Int
    }

    private let state: Mutex<State>
    private let continuation: CheckedContinuation<[KafkaError?], Never>

    init(count: Int, continuation: CheckedContinuation<[KafkaError?], Never>) {
        state = Mutex(State(errors: Array(repeating: nil, count: count), open: count))
        self.continuation = continuation
    }

    func settled(_ place: Int, _ error: KafkaError?) {
        let finished: [KafkaError?]? = state.withLock { state in
            state.errors[place] = error
            state.open -= 1
            return state.open == 0 ? state.errors : nil
        }
        if let finished { continuation.resume(returning: finished) }
    }
}

private final class DeliveryTicket: Sendable {
    let batch: DeliveryBatch
    let place: Int

    init(batch: DeliveryBatch, place: Int) {
        (self.batch, self.place) = (batch, place)
    }
}

/// Routes librdkafka's errors and log lines into ours.
struct KafkaReporter: Sendable {
    let logger: Logger

    func report(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_ERROR:
            let cause = String(cString: rd_kafka_event_error_string(event))
            if rd_kafka_event_error_is_fatal(event) != 0 {
                logger.error("Kafka client failed for good", [.cause: .text(cause)])
            } else {
                logger.warning("Kafka reports", [.cause: .text(cause)])
            }
        case RD_KAFKA_EVENT_LOG:
            var facility: UnsafePointer<CChar>?
            var text: UnsafePointer<CChar>?
            var level: Int32 = 0
            guard rd_kafka_event_log(event, &facility, &text, &level) == 0, let text else { return }
            logger.debug("librdkafka", [.cause: .text(String(cString: text))])
        default:
            break
        }
    }
}
