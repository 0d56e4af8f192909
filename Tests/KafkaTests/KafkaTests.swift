import Kafka
import Services
import Synchronization
import Testing

/// Pins the wrapper against librdkafka's in-process mock cluster: real sockets, real protocol.
@Suite(.timeLimit(.minutes(1))) struct KafkaTests {
    private static func producer(_ cluster: KafkaMockCluster, _ more: [String: String] = [:]) throws
        -> KafkaProducer
    {
        let own = [
            "bootstrap.servers": cluster.brokers, "enable.idempotence": "true",
            "partitioner": "murmur2_random",
        ]
        return try KafkaProducer(properties: own.merging(more) { _, new in new }, logger: .silent)
    }

    private static func record(_ number: Int, size: Int = 10) -> KafkaRecord {
        KafkaRecord(
            topic: "t", key: "key-\(number % 5)",
            value: Array("\(number)".utf8) + Array(repeating: 0x20, count: size),
            headers: [("content-type", "application/json"), ("ce_id", "evt_\(number)")])
    }

    @Test func acknowledgedRecordsAreReadBackWithKeyValueAndHeaders() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 4)
        let producer = try Self.producer(cluster)
        let errors = await producer.send((0..<100).map { Self.record($0) })
        #expect(errors.isEmpty)
        let received = Collector()
        let reader = try KafkaReader(brokers: cluster.brokers, topics: ["t": 4], logger: .silent) {
            received.add($0)
        }
        let records = await received.wait(for: 100)
        reader.close()
        #expect(Set(records.map { String(decoding: $0.value, as: UTF8.self) }).count == 100)
        for record in records {
            #expect(record.topic == "t" && record.headers.map(\.name) == ["content-type", "ce_id"])
        }
        // One key, one partition: the order of a key is the order of its partition.
        let partitions = Dictionary(grouping: records) { String(decoding: $0.key, as: UTF8.self) }
        #expect(partitions.values.allSatisfy { Set($0.map(\.partition)).count == 1 })
    }

    @Test func keysAreSpreadAsTheJavaClientDoes() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 6)
        let producer = try Self.producer(cluster)
        let keys = ["unionid/a", "customer/1", "kafka", "", "𝄞"]
        _ = await producer.send(
            keys.map { KafkaRecord(topic: "t", key: $0, value: [1], headers: []) })
        let received = Collector()
        let reader = try KafkaReader(brokers: cluster.brokers, topics: ["t": 6], logger: .silent) {
            received.add($0)
        }
        let records = await received.wait(for: keys.count)
        reader.close()
        for record in records where !record.key.isEmpty {
            #expect(record.partition == Int(murmur2(record.key) & 0x7FFF_FFFF) % 6)
        }
    }

    @Test func tooLargeRecordIsRefusedAloneAndAtOnce() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 1)
        let producer = try Self.producer(cluster, ["message.max.bytes": "2000"])
        let errors = await producer.send([Self.record(1), Self.record(2, size: 5000), Self.record(3)])
        #expect(errors.mapValues(\.kind) == [1: .record])
    }

    /// Order: nothing may slip in behind a record that found no room.
    @Test func fullQueueTakesNothingBehindTheFirstRecordItRefuses() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 1)
        cluster.setBroker(1, isUp: false)
        let producer = try Self.producer(cluster, ["queue.buffering.max.messages": "7"])
        let delivery = producer.begin((0..<10).map { Self.record($0) })
        cluster.setBroker(1, isUp: true)
        let errors = await producer.failures(of: delivery)
        #expect(errors.mapValues(\.kind) == [7: .queueFull, 8: .queueFull, 9: .queueFull])
    }

    @Test func deliveriesAreUnderWaySideBySide() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 2)
        let producer = try Self.producer(cluster)
        let deliveries = (0..<5).map { number in producer.begin([Self.record(number), Self.record(number)]) }
        for delivery in deliveries.reversed() { #expect(await producer.failures(of: delivery).isEmpty) }
        #expect(await producer.send([]).isEmpty)
    }

    @Test func statisticsTellOfBrokersAndTheQueue() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("t", partitions: 1)
        let (stream, continuation) = AsyncStream.makeStream(of: KafkaStatistics.self)
        let producer = try KafkaProducer(
            properties: ["bootstrap.servers": cluster.brokers, "statistics.interval.ms": "50"],
            logger: .silent
        ) { continuation.yield($0) }
        #expect(await producer.send([Self.record(1)]).isEmpty)
        for await statistics in stream where statistics.brokersUp == 1 && statistics.queuedRecords == 0 {
            #expect(statistics.queuedBytes == 0)
            #expect(statistics.brokersDown == 0)
            break
        }
        producer.close()
    }

    @Test func cancelledSendEndsWithPurgedRecords() async throws {
        let producer = try KafkaProducer(
            properties: ["bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "0"], logger: .silent)
        let task = Task { await producer.send((0..<10).map { Self.record($0) }) }
        task.cancel()
        let errors = await task.value
        #expect(errors.count == 10 && errors.values.allSatisfy { $0.kind == .purged })
    }

    @Test func closingIsOnceAndNeverHangs() async throws {
        let producer = try KafkaProducer(properties: ["bootstrap.servers": "127.0.0.1:1"], logger: .silent)
        producer.close()
        producer.close()
    }

    @Test(arguments: [("no.such.property", "1"), ("compression.type", "fastest"), ("linger.ms", "soon")])
    func refusedPropertyIsNamedWithoutItsValue(name: String, value: String) throws {
        let refusal = try #require(KafkaProducer.refusal(ofProperty: name, value: value))
        #expect(refusal.description.contains(name) && !refusal.description.contains(value))
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaProducer(properties: [name: value], logger: .silent)
        }
        #expect(error?.kind == .configuration)
        #expect(error?.description.contains(name) == true && error?.description.contains(value) == false)
    }

    @Test func knownPropertyIsAccepted() {
        #expect(KafkaProducer.refusal(ofProperty: "compression.type", value: "lz4") == nil)
    }

    @Test func topicsOfTheClusterAreListed() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("listed", partitions: 3)
        let producer = try Self.producer(cluster)
        #expect(try producer.topics(timeout: .seconds(10))["listed"] == 3)
    }

    /// Kafka's own hash for keys (the Java clients' `Utils.murmur2`), written from its definition as a second opinion.
    private func murmur2(_ key: [UInt8]) -> UInt32 {
        let multiplier: UInt32 = 0x5BD1_E995
        var hash: UInt32 = 0x9747_B28C ^ UInt32(key.count)
        var place = 0
        while key.count - place >= 4 {
            var word = UInt32(key[place]) | UInt32(key[place + 1]) << 8
            word |= UInt32(key[place + 2]) << 16 | UInt32(key[place + 3]) << 24
            word = word &* multiplier
            word ^= word >> 24
            hash = (hash &* multiplier) ^ (word &* multiplier)
            place += 4
        }
        let rest = key[place...].enumerated().reduce(UInt32(0)) {
            $0 | UInt32($1.element) << UInt32(8 * $1.offset)
        }
        if place < key.count { hash = (hash ^ rest) &* multiplier }
        hash ^= hash >> 13
        hash = hash &* multiplier
        return hash ^ (hash >> 15)
    }
}

/// Gathers records from the reader's thread until there are enough.
final class Collector: Sendable {
    private struct State {
        var records: [KafkaReceived] = []
        var wanted = Int.max
        var waiting: CheckedContinuation<[KafkaReceived], Never>?
    }

    private let state = Mutex(State())

    func add(_ record: KafkaReceived) {
        let done = state.withLock { state in
            state.records.append(record)
            return Self.finished(&state)
        }
        if let done { done.0.resume(returning: done.1) }
    }

    func wait(for count: Int) async -> [KafkaReceived] {
        await withCheckedContinuation { continuation in
            let done = state.withLock { state in
                (state.wanted, state.waiting) = (count, continuation)
                return Self.finished(&state)
            }
            if let done { done.0.resume(returning: done.1) }
        }
    }

    private static func finished(
        _ state: inout State
    ) -> (CheckedContinuation<[KafkaReceived], Never>, [KafkaReceived])? {
        guard state.records.count >= state.wanted, let waiting = state.waiting else { return nil }
        state.waiting = nil
        return (waiting, state.records)
    }
}
