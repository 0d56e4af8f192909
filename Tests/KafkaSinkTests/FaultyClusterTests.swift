import EventModel
import Kafka
import Persisting
import Ports
import Publishing
import Services
import Synchronization
import TestSupport
import Testing

@testable import KafkaSink

/// A cluster in trouble, both ways of publishing: nothing is lost, a key's last record is its last event.
/// Real: the log, the pumps, librdkafka and its mock cluster of three brokers. The pumps' pauses take no time.
///
/// One request at a time: a success behind a request of unknown fate tells librdkafka that the broker has both, as a broker
/// that checks sequence numbers then does (rdkafka_request.c, `rd_kafka_handle_idempotent_Produce_success`). The mock checks none.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultyClusterTests {
    private static let count = 3000

    enum Trouble: Sendable, CaseIterable {
        case leadersMove, leadersAreLost, requestsTimeOut, connectionsBreak, clientIsThrottled
        case replicasAreMissing, brokersAreSlow, brokersGoAwayOneByOne

        func befall(_ cluster: KafkaMockCluster) {
            switch self {
            case .leadersMove:
                for partition in 0..<4 {
                    cluster.setLeader(of: "millrace.visit", partition: partition, toBroker: 3 - partition % 3)
                }
            case .leadersAreLost: cluster.fail(.produce, with: repeated(.leaderMoved))
            case .requestsTimeOut: cluster.fail(.produce, with: repeated(.timedOut))
            case .connectionsBreak: cluster.fail(.produce, with: repeated(.connectionLost))
            case .clientIsThrottled: cluster.fail(.produce, with: repeated(.throttled))
            case .replicasAreMissing: cluster.fail(.produce, with: repeated(.notEnoughReplicas))
            case .brokersAreSlow:
                for broker in 1...3 { cluster.setRoundTrip(.milliseconds(50), ofBroker: broker) }
            case .brokersGoAwayOneByOne:
                for broker in 1...3 {
                    cluster.setBroker(broker, isUp: false)
                    cluster.setBroker(broker, isUp: true)
                }
            }
        }

        private func repeated(_ failure: KafkaMockCluster.Failure) -> [KafkaMockCluster.Failure] {
            Array(repeating: failure, count: 5)
        }
    }

    @Test(arguments: Trouble.allCases) func atLeastOnceSurvives(_ trouble: Trouble) async throws {
        try await survives(isTransactional: false) { trouble.befall($0) }
    }

    @Test(arguments: Trouble.allCases) func exactlyOnceSurvives(_ trouble: Trouble) async throws {
        try await survives(isTransactional: true) { trouble.befall($0) }
    }

    @Test func theCoordinatorOfTransactionsMayMove() async throws {
        try await survives(isTransactional: true) { cluster in
            cluster.setCoordinator(ofTransactionalID: "millrace.acme", toBroker: 2)
            cluster.fail(.addPartitions, with: [.coordinatorMoved, .coordinatorLoading])
            cluster.fail(.endTransaction, with: [.coordinatorMoved])
        }
    }

    /// Longer than a transaction may last: it is aborted, and done again when the brokers are back.
    @Test(arguments: [true, false]) func brokersMayBeGoneForLong(isTransactional: Bool) async throws {
        let cluster = try cluster()
        let (log, clock, folder) = try await filledLog()
        defer { withExtendedLifetime(folder) {} }
        let pump = try pump(
            cluster, log, clock, isTransactional, ["transaction.timeout.ms": Secret("1000")])
        try await running(pump) {
            try await reached(Int64(Self.count), log, clock)
            for broker in 1...3 { cluster.setBroker(broker, isUp: false) }
            try await append(1, to: log)
            await pass(.milliseconds(2500))
            // Polling goes on and events are stored meanwhile.
            try await append(100, to: log)
            #expect(try await position(log) == Int64(Self.count))
            for broker in 1...3 { cluster.setBroker(broker, isUp: true) }
            try await reached(Int64(Self.count + 101), log, clock)
        }
        try await expectWhole(cluster, log)
    }

    // MARK: - The chain

    private func survives(
        isTransactional: Bool, _ befall: (KafkaMockCluster) -> Void
    ) async throws {
        let cluster = try cluster()
        let (log, clock, folder) = try await filledLog()
        defer { withExtendedLifetime(folder) {} }
        try await running(try pump(cluster, log, clock, isTransactional)) {
            try await reached(Int64(Self.count), log, clock)
            befall(cluster)
            try await append(Self.count, to: log)
            befall(cluster)
            try await reached(Int64(2 * Self.count), log, clock)
        }
        let delivered = try await log.sinks().first.map { Int($0.delivered) }
        #expect(delivered == 2 * Self.count)
        try await expectWhole(cluster, log)
    }

    private func cluster() throws -> KafkaMockCluster {
        let cluster = try KafkaMockCluster(brokers: 3)
        try cluster.createTopic("millrace.visit", partitions: 4)
        try cluster.createTopic("millrace.acme.log", partitions: 1)
        return cluster
    }

    private func filledLog() async throws -> (EventLog, ManualClock, TemporaryFolder) {
        let (folder, clock) = (try TemporaryFolder(), ManualClock())
        let log = try EventLog(path: folder.file("millrace.db"), timekeeper: clock)
        try await append(Self.count, to: log)
        return (log, clock, folder)
    }

    private func append(_ count: Int, to log: EventLog) async throws {
        let first = Int(log.head) + 1
        let rows = (first..<(first + count)).map { number in
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .visits, identity: "\(number)",
                time: Timestamp(seconds: Int64(number)), subject: "unionid/\(number % 50)",
                data: Array("{}".utf8))
            return LogRow.event(draft, raw: Array("\(number)".utf8))
        }
        let source = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
        _ = try await log.append(rows, from: source, position: nil)
    }

    private func pump(
        _ cluster: KafkaMockCluster, _ log: EventLog, _ clock: ManualClock, _ isTransactional: Bool,
        _ properties: [String: Secret] = [:]
    ) throws -> any Service {
        let settings = KafkaSink.Settings(
            brokers: cluster.brokers, topic: TopicTemplate("millrace.{entity}"), isBinary: false, topics: [],
            properties: (isTransactional ? properties : [:]).merging([
                "max.in.flight.requests.per.connection": Secret("1")
            ]) { own, _ in own })
        let selection = SinkSelection(events: [try #require(NamePattern("*"))], accounts: nil)
        guard isTransactional else {
            return BatchPump(
                "kafka", sink: try KafkaSink(settings, logger: .silent), log: log, from: .beginning,
                selection: selection, timekeeper: clock, draw: { 0.5 }, logger: .silent)
        }
        let writer = KafkaTransactions.Writer(relay: "acme", logID: log.logID, host: "h", pid: 1)
        return TransactionPump(
            "kafka", sink: try KafkaTransactions(settings, writer: writer, logger: .silent), log: log,
            from: .beginning, selection: selection, adopts: false, timekeeper: clock, draw: { 0.5 },
            logger: .silent)
    }

    private func running(
        _ pump: any Service, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pump.run() }
            try await body()
            await pump.stop()
            try await group.waitForAll()
        }
    }

    private func position(_ log: EventLog) async throws -> Int64? {
        try await log.sinks().first?.progress.position
    }

    private func reached(_ position: Int64, _ log: EventLog, _ clock: ManualClock) async throws {
        while try await self.position(log) != position {
            try Task.checkCancellation()
            clock.advance(by: .seconds(1))
            await Task.yield()
        }
    }

    /// librdkafka's own time: as long as it takes to give a record up that no broker takes.
    private func pass(_ time: Duration) async {
        do {
            let producer = try KafkaProducer(
                properties: [
                    "bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "\(time / .milliseconds(1))",
                ], logger: .silent)
            let errors = await producer.send([KafkaRecord(topic: "t", key: "", value: [1], headers: [])])
            #expect(errors[0]?.kind == .timedOut)
            producer.close()
        } catch {
            Issue.record(error)
        }
    }

    /// Every event is there, and of every key the last record is its last event.
    private func expectWhole(_ cluster: KafkaMockCluster, _ log: EventLog) async throws {
        let events = try await log.events(after: 0, limit: 100_000, maxBytes: 1 << 30)
        let wanted = Set(events.map { $0.body })
        let (stream, continuation) = AsyncStream.makeStream(of: KafkaReceived.self)
        let reader = try KafkaReader(
            brokers: cluster.brokers, topics: ["millrace.visit": 4], logger: .silent
        ) { continuation.yield($0) }
        defer { reader.close() }
        let last = Dictionary(events.map { ($0.key, $0.body) }) { _, last in last }
        var (got, newest) = (Set<[UInt8]>(), [String: [UInt8]]())
        for await record in stream {
            got.insert(record.value)
            newest[String(decoding: record.key, as: UTF8.self)] = record.value
            if got.count == wanted.count, newest == last { break }
        }
        #expect(got == wanted && newest == last)
    }
}
