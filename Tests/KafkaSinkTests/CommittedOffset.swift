import CRdKafka
import Foundation

/// Commits an offset for a group as a consumer does, with a text beside it: the mock keeps these, and none of transactions.
struct CommittedOffset {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let brokers: String
    let group: String
    let topic: String

    func commit(_ offset: Int64, metadata: String) throws {
        let configuration = rd_kafka_conf_new()
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value) in ["bootstrap.servers": brokers, "group.id": group] {
            rd_kafka_conf_set(configuration, name, value, &reason, reason.count)
        }
        guard let consumer = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &reason, reason.count) else {
            throw Failure(description: "no consumer")
        }
        defer { rd_kafka_destroy(consumer) }
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let partition = rd_kafka_topic_partition_list_add(list, topic, 0)
        partition?.pointee.offset = offset
        // Freed with the list.
        partition?.pointee.metadata = UnsafeMutableRawPointer(strdup(metadata))
        partition?.pointee.metadata_size = metadata.utf8.count
        let code = rd_kafka_commit(consumer, list, 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw Failure(description: String(cString: rd_kafka_err2str(code)))
        }
    }
}
