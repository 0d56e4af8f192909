import CRdKafka
import Foundation

/// How a topic that does not exist is to be made.
package struct KafkaTopic: Sendable {
    package let name: String
    package let partitions: Int
    package let replication: Int
    package let properties: [String: String]

    package init(name: String, partitions: Int, replication: Int, properties: [String: String]) {
        (self.name, self.partitions, self.replication, self.properties) = (
            name, partitions, replication, properties
        )
    }
}

extension KafkaProducer {
    /// The cluster's topics with their number of partitions. An error says what the client met meanwhile, a TLS handshake
    /// that fails or a refused password for instance. Blocks up to `timeout`: not for the cooperative pool.
    package func topics(timeout: Duration) throws(KafkaError) -> [String: Int] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(pointer, 1, nil, &metadata, Int32(timeout.milliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw trouble.explain(KafkaError(code, doing: "list the topics of the cluster"))
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        var topics: [String: Int] = [:]
        for place in 0..<Int(metadata.pointee.topic_cnt) {
            let topic = metadata.pointee.topics[place]
            topics[String(cString: topic.topic)] = Int(topic.partition_cnt)
        }
        return topics
    }

    /// Whether a topic is there, or is made now by a cluster that makes topics on first use. Blocks up to `timeout`.
    package func hasTopic(_ name: String, timeout: Duration) throws(KafkaError) -> Bool {
        guard let topic = rd_kafka_topic_new(pointer, name, nil) else {
            throw KafkaError(.configuration, doing: "look for the topic \(name)", cause: "not a topic's name")
        }
        defer { rd_kafka_topic_destroy(topic) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(pointer, 0, topic, &metadata, Int32(timeout.milliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw KafkaError(code, doing: "look for the topic \(name)")
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        return metadata.pointee.topic_cnt == 1 && metadata.pointee.topics[0].partition_cnt > 0
    }

    /// Asks for topics to be made; one that exists already is no error. Blocks up to `timeout`.
    ///
    /// A broker that does not answer admin requests ends in `.timedOut`; publishing may still work.
    package func create(_ topics: [KafkaTopic], timeout: Duration) throws(KafkaError) {
        // Without a controller librdkafka would wait for one until the timeout. Metadata has told it by now.
        guard rd_kafka_controllerid(pointer, 100) >= 0 else {
            throw KafkaError(.timedOut, doing: "create topics", cause: "the cluster names no controller")
        }
        let options = rd_kafka_AdminOptions_new(pointer, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, Int32(timeout.milliseconds), nil, 0)
        var wanted: [OpaquePointer?] = topics.map(Self.newTopic)
        defer { rd_kafka_NewTopic_destroy_array(&wanted, wanted.count) }
        let queue = rd_kafka_queue_new(pointer)
        defer { rd_kafka_queue_destroy(queue) }
        rd_kafka_CreateTopics(pointer, &wanted, wanted.count, options, queue)
        guard let event = rd_kafka_queue_poll(queue, Int32(timeout.milliseconds + 1000)) else {
            throw KafkaError(.timedOut, doing: "create topics", cause: "the broker does not answer")
        }
        defer { rd_kafka_event_destroy(event) }
        try Self.check(event)
    }

    private static func newTopic(_ topic: KafkaTopic) -> OpaquePointer? {
        let new = rd_kafka_NewTopic_new(topic.name, Int32(topic.partitions), Int32(topic.replication), nil, 0)
        for (name, value) in topic.properties.sorted(by: { $0.key < $1.key }) {
            rd_kafka_NewTopic_set_config(new, name, value)
        }
        return new
    }

    private static func check(_ event: OpaquePointer) throws(KafkaError) {
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: "create topics") }
        var count = 0
        let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
        for place in 0..<count {
            let result = results?[place]
            let code = rd_kafka_topic_result_error(result)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS {
                continue
            }
            let name = String(cString: rd_kafka_topic_result_name(result))
            let cause = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
            throw KafkaError(
                .other(code.rawValue), doing: "create the topic \(name)",
                cause: cause ?? String(cString: rd_kafka_err2str(code)))
        }
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
