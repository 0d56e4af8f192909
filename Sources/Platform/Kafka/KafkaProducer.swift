import CRdKafka
import Foundation
package import Services
import Synchronization

/// One record for a topic.
package struct KafkaRecord: Sendable {
    package let topic: String
    package let key: String
    package let value: [UInt8]
    package let headers: [(name: String, value: String)]

    package init(topic: String, key: String, value: [UInt8], headers: [(name: String, value: String)]) {
        (self.topic, self.key, self.value, self.headers) = (topic, key, value, headers)
    }
}

/// A producer over librdkafka: takes records in order and tells what became of each.
///
/// Records are copied; reports arrive on the poller's thread and settle the delivery they belong to. Brokers that are away
/// are waited for as long as the configuration says (`message.timeout.ms`).
package final class KafkaProducer: Sendable {
    private let handle: KafkaHandle
    private let poller: KafkaPoller
    private let isClosed = Mutex(false)
    let trouble: KafkaTrouble

    /// - Parameters:
    ///   - properties: librdkafka's own; the caller decides about idempotence and acknowledgements.
    ///   - onStatistics: called on the poller's thread every `statistics.interval.ms`, which is never by default; must not
    ///     block.
    package init(
        properties: [String: String], logger: Logger,
        onStatistics: @escaping @Sendable (KafkaStatistics) -> Void = { _ in }
    ) throws(KafkaError) {
        let handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, properties: properties,
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS)
        guard let queue = rd_kafka_queue_get_main(handle.pointer) else {
            throw KafkaError(.configuration, doing: "make a Kafka producer", cause: "it has no main queue")
        }
        self.handle = handle
        trouble = KafkaTrouble()
        let reporter = KafkaReporter(
            logger: logger, onStatistics: onStatistics, trouble: trouble)
        poller = KafkaPoller(handle, queue: queue, name: "millrace-kafka") { event in
            Self.serve(event, reporter)
        }
    }

    deinit {
        close()
    }

    /// Hands records over in order and returns at once; what becomes of them is asked of the result.
    ///
    /// Once librdkafka's queue is full nothing behind may slip in: the rest is reported as `.queueFull`, so that order is
    /// kept by sending it again later.
    package func begin(_ records: [KafkaRecord]) -> KafkaDelivery {
        let delivery = KafkaDelivery(count: records.count)
        var isFull = false
        for (place, record) in records.enumerated() {
            let code = isFull ? RD_KAFKA_RESP_ERR__QUEUE_FULL : produce(record, delivery.opaque(place))
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { continue }
            isFull = code == RD_KAFKA_RESP_ERR__QUEUE_FULL
            delivery.refused(place, code)
        }
        delivery.handedOver()
        return delivery
    }

    /// Waits for every report of a delivery; the records that were not acknowledged, by their place.
    ///
    /// When the task is cancelled, what is not acknowledged yet, of this delivery and of others, is purged and reported so.
    package func failures(of delivery: KafkaDelivery) async -> [Int: KafkaError] {
        await withTaskCancellationHandler {
            await delivery.failures()
        } onCancel: {
            purge()
        }
    }

    /// Hands records over and waits for their reports.
    package func send(_ records: [KafkaRecord]) async -> [Int: KafkaError] {
        await failures(of: begin(records))
    }

    /// Drops what is not acknowledged yet; it is reported as `.purged`.
    package func purge() {
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
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

    private func produce(
        _ record: KafkaRecord, _ opaque: UnsafeMutableRawPointer
    ) -> rd_kafka_resp_err_t {
        let headers = rd_kafka_headers_new(record.headers.count)
        for header in record.headers {
            rd_kafka_header_add(
                headers, header.name, header.name.utf8.count, header.value, header.value.utf8.count)
        }
        let code = millrace_rd_kafka_produce(
            handle.pointer, record.topic, record.key, record.key.utf8.count, record.value, record.value.count,
            headers, opaque)
        // Refused at once: the headers stay ours.
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { rd_kafka_headers_destroy(headers) }
        return code
    }

    private static func serve(_ event: OpaquePointer, _ reporter: KafkaReporter) {
        guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return reporter.report(event) }
        while let message = rd_kafka_event_message_next(event) {
            guard let opaque = message.pointee._private else { continue }
            KafkaDelivery.report(opaque, message.pointee.err)
        }
    }
}
