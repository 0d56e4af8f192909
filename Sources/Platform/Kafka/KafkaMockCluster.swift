import CRdKafka
import Synchronization

/// librdkafka's in-process mock cluster: real sockets and the real protocol on loopback, records in memory.
///
/// For `millrace demo` and for tests. It proves the flow, not exactness: it keeps no transactional offsets, fences nobody
/// and answers no admin request.
package final class KafkaMockCluster: @unchecked Sendable {
    // rdkafka_mock.h: the cluster runs on a thread of its own; its functions lock and may be called from any thread.
    private let cluster: OpaquePointer
    private let handle: KafkaHandle
    /// Of brokers that are down.
    private let held = Mutex<[Int: HeldPort]>([:])

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

    /// The requests that tests make fail (Kafka's protocol, API keys).
    package enum Request: Int16, Sendable {
        case produce = 0
        case metadata = 3
        case fetchOffsets = 9
        case findCoordinator = 10
        case initProducerID = 22
        case addPartitions = 24
        case addOffsets = 25
        case endTransaction = 26
        case commitOffsets = 28
    }

    /// Errors a broker answers with.
    package enum Failure: Sendable {
        case coordinatorLoading, coordinatorMoved, leaderMoved, timedOut, concurrentTransactions, tooLarge
        case fenced, throttled, connectionLost, notEnoughReplicas, groupUnknown

        var code: rd_kafka_resp_err_t {
            switch self {
            case .coordinatorLoading: RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS
            case .coordinatorMoved: RD_KAFKA_RESP_ERR_NOT_COORDINATOR
            case .leaderMoved: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
            case .timedOut: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
            case .concurrentTransactions: RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS
            case .tooLarge: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
            case .fenced: RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            case .throttled: RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED
            // The mock closes the connection without an answer.
            case .connectionLost: RD_KAFKA_RESP_ERR__TRANSPORT
            case .notEnoughReplicas: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
            case .groupUnknown: RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND
            }
        }
    }

    /// The next requests of a kind are answered with these errors, one each.
    package func fail(_ request: Request, with failures: [Failure]) {
        let codes = failures.map(\.code)
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
    }

    /// Takes a broker, counted from 1, off the network or back on it.
    package func setBroker(_ id: Int, isUp: Bool) {
        if isUp {
            held.withLock { $0[id] }?.waitUntilFree()
            rd_kafka_mock_broker_set_up(cluster, Int32(id))
            held.withLock { $0[id] = nil }
        } else {
            rd_kafka_mock_broker_set_down(cluster, Int32(id))
            let port = port(of: id).map(HeldPort.init)
            held.withLock { $0[id] = port }
        }
    }

    /// Brokers are told in the order of their ids.
    private func port(of id: Int) -> UInt16? {
        let addresses = brokers.split(separator: ",")
        guard addresses.indices.contains(id - 1) else { return nil }
        return addresses[id - 1].split(separator: ":").last.flatMap { UInt16($0) }
    }

    /// Every answer of a broker takes this long.
    package func setRoundTrip(_ time: Duration, ofBroker id: Int) {
        rd_kafka_mock_broker_set_rtt(cluster, Int32(id), Int32(time.milliseconds))
    }

    package func setLeader(of topic: String, partition: Int, toBroker id: Int) {
        rd_kafka_mock_partition_set_leader(cluster, topic, Int32(partition), Int32(id))
    }

    /// Which broker coordinates a transactional id.
    package func setCoordinator(ofTransactionalID name: String, toBroker id: Int) {
        rd_kafka_mock_coordinator_set(cluster, "transaction", name, Int32(id))
    }
}
