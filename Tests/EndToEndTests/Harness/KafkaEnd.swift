import Kafka
import Services
import Synchronization

/// A Kafka cluster of this process, and everything that was published to its topic of visits.
final class KafkaEnd: Sendable {
    static let topic = "millrace.visit"
    static let partitions = 6

    private let cluster: KafkaMockCluster
    private let reader: KafkaReader
    private let book = RecordBook()

    init() throws {
        cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic(Self.topic, partitions: Self.partitions)
        // The mock answers no admin request: whoever asks for these would wait for that.
        for topic in ["millrace.acme.log", "millrace.operations"] {
            try cluster.createTopic(topic, partitions: 1)
        }
        let book = self.book
        reader = try KafkaReader(
            brokers: cluster.brokers, topics: [Self.topic: Self.partitions], logger: .silent
        ) { book.add($0) }
    }

    deinit {
        reader.close()
    }

    var brokers: String { cluster.brokers }
    var records: [KafkaReceived] { book.records }
    /// Records by `ce_id`.
    var byID: [String: [KafkaReceived]] {
        Dictionary(grouping: records) { record in record.headers.first { $0.name == "ce_id" }?.value ?? "" }
    }
}

private final class RecordBook: Sendable {
    private let state = Mutex<[KafkaReceived]>([])

    var records: [KafkaReceived] { state.withLock { $0 } }

    func add(_ record: KafkaReceived) {
        state.withLock { $0.append(record) }
    }
}
