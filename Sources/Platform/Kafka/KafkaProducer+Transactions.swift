import CRdKafka
import Foundation

/// A position in one partition that is committed with a transaction, as a consumer group's offset.
package struct KafkaGroupOffset: Sendable, Equatable {
    package let offset: Int64
    /// The committer's own words.
    package let metadata: String

    package init(offset: Int64, metadata: String) {
        (self.offset, self.metadata) = (offset, metadata)
    }
}

/// The steps of a transaction. Each blocks up to its timeout: not for the cooperative pool. Needs `transactional.id`.
extension KafkaProducer {
    /// Fences older producers of the same transactional id and ends what they left open.
    package func initTransactions(timeout: Duration) throws(KafkaTransactionError) {
        try check(
            rd_kafka_init_transactions(pointer, Int32(timeout.milliseconds)),
            "begin as a transactional producer")
    }

    package func beginTransaction() throws(KafkaTransactionError) {
        try check(rd_kafka_begin_transaction(pointer), "begin a transaction")
    }

    /// Adds a group's offset for partition 0 of a topic to the transaction.
    package func sendOffset(
        _ offset: KafkaGroupOffset, of topic: String, group: String, timeout: Duration
    ) throws(KafkaTransactionError) {
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let partition = rd_kafka_topic_partition_list_add(list, topic, 0)
        partition?.pointee.offset = offset.offset
        // Freed by librdkafka with the list: it must come from its allocator, the C library's.
        partition?.pointee.metadata = strdup(offset.metadata).map(UnsafeMutableRawPointer.init)
        partition?.pointee.metadata_size = offset.metadata.utf8.count
        let metadata = rd_kafka_consumer_group_metadata_new(group)
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        try check(
            rd_kafka_send_offsets_to_transaction(pointer, list, metadata, Int32(timeout.milliseconds)),
            "commit the position with a transaction")
    }

    /// - Throws: `.retriable` also when the timeout passed: the call may be made again and goes on.
    package func commitTransaction(timeout: Duration) throws(KafkaTransactionError) {
        try check(rd_kafka_commit_transaction(pointer, Int32(timeout.milliseconds)), "commit a transaction")
    }

    package func abortTransaction(timeout: Duration) throws(KafkaTransactionError) {
        try check(rd_kafka_abort_transaction(pointer, Int32(timeout.milliseconds)), "abort a transaction")
    }

    private func check(_ error: OpaquePointer?, _ doing: String) throws(KafkaTransactionError) {
        guard let error else { return }
        // Once a producer has failed for good, every call says so, and only this one says why.
        let fatal = rd_kafka_fatal_error(pointer, nil, 0)
        throw KafkaTransactionError(taking: error, fatal: fatal, doing: doing)
    }
}

/// Reads what a consumer group has committed, without joining it.
package enum KafkaGroup {
    /// The group's offset for partition 0 of a topic; nil when there is none, or it has expired. Blocks up to `timeout`.
    /// - Parameter properties: how the cluster is reached; the group is added to them.
    package static func committed(
        _ group: String, topic: String, properties: [String: String], timeout: Duration
    ) throws(KafkaError) -> KafkaGroupOffset? {
        let own = ["group.id": group, "enable.auto.commit": "false", "isolation.level": "read_committed"]
        let handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, properties: properties.merging(own) { _, own in own }, events: 0)
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let partition = rd_kafka_topic_partition_list_add(list, topic, 0)
        let doing = "read the position of the group \(group)"
        let code = rd_kafka_committed(handle.pointer, list, Int32(timeout.milliseconds))
        // Some brokers say so of a group that nobody has committed for; others answer that there is no offset.
        if code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return nil }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: doing) }
        guard let found = partition?.pointee, found.err != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND else {
            return nil
        }
        guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(found.err, doing: doing) }
        guard found.offset >= 0 else { return nil }
        let metadata = UnsafeRawBufferPointer(start: found.metadata, count: found.metadata_size)
        return KafkaGroupOffset(offset: found.offset, metadata: String(decoding: metadata, as: UTF8.self))
    }
}
