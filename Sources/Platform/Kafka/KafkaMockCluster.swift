import CRdKafka

/// librdkafka's in-process mock cluster: real sockets and the real protocol on loopback, records in memory.
///
/// For `millrace demo` and for tests. It proves the flow, not exactness: it keeps no transactional offsets, fences nobody
/// and answers no admin request.
package final class KafkaMockCluster: @unchecked Sendable {
    // rdkafka_mock.h: the cluster runs on a thread of its own; its functions lock and may be called from any thread.
    private let cluster: OpaquePointer
    private let handle: KafkaHandle

    package init(brokers: Int) throws(KafkaError) {
        handle = try KafkaHandle(RD_KAFKA_PRODUCER, properties: ["log_level": "0"], events: 0)
        guard let cluster = rd_kafka_mock_cluster_new(handle.pointer, Int32(brokers)) else {
            throw KafkaError(.configuration, doing: "start a mock cluster", cause: "librdkafka cannot")
        }
        self.cluster = cluster
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
    }

    /// `host:port,…`, for `bootstrap.servers`.
    package var brokers: String {
        String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    package func createTopic(_ name: String, partitions: Int) throws(KafkaError) {
        let code = rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code, doing: "create the topic \(name)")
        }
    }
}
