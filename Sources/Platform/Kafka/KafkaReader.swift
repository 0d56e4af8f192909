import CRdKafka
import Foundation
package import Services

/// One record as it was read back.
package struct KafkaReceived: Sendable {
    package let topic: String
    package let partition: Int
    package let offset: Int64
    package let key: [UInt8]
    package let value: [UInt8]
    package let headers: [(name: String, value: String)]
}

/// Reads topics, all partitions, without a consumer group: for the demo, the example and the tests.
package final class KafkaReader: Sendable {
    private let handle: KafkaHandle
    private let poller: KafkaPoller

    /// - Parameters:
    ///   - topics: each with its number of partitions; they must exist.
    ///   - start: the offset to begin with in a partition of a topic; nil for its beginning.
    ///   - onRecord: called on the reader's thread for each record, in order per partition; must not block.
    package init(
        brokers: String, topics: [String: Int],
        startingAt start: (String, Int) -> Int64? = { _, _ in nil }, logger: Logger,
        onRecord: @escaping @Sendable (KafkaReceived) -> Void
    ) throws(KafkaError) {
        let properties = [
            "bootstrap.servers": brokers, "group.id": "millrace.reader", "enable.auto.commit": "false",
            "isolation.level": "read_committed",
            // Short: a fetch that waits for more delays what has just come.
            "fetch.wait.max.ms": "20",
        ]
        let handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, properties: properties,
            events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG)
        let assigned = rd_kafka_topic_partition_list_new(0)
        defer { rd_kafka_topic_partition_list_destroy(assigned) }
        for (topic, partitions) in topics {
            for partition in 0..<partitions {
                let added = rd_kafka_topic_partition_list_add(assigned, topic, Int32(partition))
                added?.pointee.offset = start(topic, partition) ?? Int64(RD_KAFKA_OFFSET_BEGINNING)
            }
        }
        // Own loop instead of poll(): everything the consumer has to say arrives on one queue.
        rd_kafka_poll_set_consumer(handle.pointer)
        guard let queue = rd_kafka_queue_get_consumer(handle.pointer) else {
            throw KafkaError(.configuration, doing: "make a Kafka consumer", cause: "it has no queue")
        }
        let code = rd_kafka_assign(handle.pointer, assigned)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: "assign partitions") }
        let reporter = KafkaReporter(logger: logger)
        self.handle = handle
        poller = KafkaPoller(handle, queue: queue, name: "millrace-kafka-reader") { event in
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH else { return reporter.report(event) }
            while let message = rd_kafka_event_message_next(event) {
                if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR { onRecord(Self.received(message)) }
            }
        }
    }

    /// Ends reading. Called once.
    package func close() {
        poller.end()
        rd_kafka_consumer_close(handle.pointer)
    }

    private static func received(_ message: UnsafePointer<rd_kafka_message_t>) -> KafkaReceived {
        let record = message.pointee
        return KafkaReceived(
            topic: record.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "",
            partition: Int(record.partition), offset: record.offset,
            key: Array(UnsafeRawBufferPointer(start: record.key, count: record.key_len)),
            value: Array(UnsafeRawBufferPointer(start: record.payload, count: record.len)),
            headers: headers(message))
    }

    private static func headers(_ message: UnsafePointer<rd_kafka_message_t>) -> [(
        name: String, value: String
    )] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else {
            return []
        }
        var result: [(String, String)] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, result.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            let bytes = UnsafeRawBufferPointer(start: value, count: size)
            result.append((name.map { String(cString: $0) } ?? "", String(decoding: bytes, as: UTF8.self)))
        }
        return result
    }
}
