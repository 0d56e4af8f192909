import EventModel
import Foundation
import Kafka
import Persisting
import Ports
import Services
import Synchronization
import Testing

@testable import KafkaSink

/// Real: librdkafka and its mock cluster over sockets, with errors injected. What the mock does not keep (offsets of
/// transactions, fencing, aborted records) is judged by `ResumePointTests` and `TransactionPumpTests`.
@Suite(.serialized, .timeLimit(.minutes(2))) struct KafkaTransactionsTests {
    private static let writer = KafkaTransactions.Writer(relay: "acme", logID: "own", host: "h", pid: 7)
    private let cluster: KafkaMockCluster
    private let metrics = RelayMetrics()

    private func counted(_ result: String) -> String {
        "millrace_kafka_records_total{topic=\"millrace.visit\",result=\"\(result)\"}"
    }

    init() throws {
        cluster = try KafkaMockCluster(brokers: 3)
        try cluster.createTopic("millrace.visit", partitions: 2)
        try cluster.createTopic("millrace.acme.log", partitions: 1)
    }

    private func sink(_ properties: [String: Secret] = [:]) throws -> KafkaTransactions {
        let settings = KafkaSink.Settings(
            brokers: cluster.brokers, topic: TopicTemplate("millrace.{entity}"), isBinary: false, topics: [],
            properties: properties, metrics: KafkaMetrics(metrics))
        return try KafkaTransactions(settings, writer: Self.writer, logger: .silent)
    }

    private static func events(_ offsets: ClosedRange<Int64>, size: Int = 1) -> [StoredEvent] {
        offsets.map { offset in
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .visits, identity: "\(offset)",
                time: Timestamp(seconds: 1000), subject: "unionid/\(offset % 5)",
                data: Array(#"{"a":"\#(String(repeating: "x", count: size))"}"#.utf8))
            let id = draft.id(revision: 1)
            return StoredEvent(
                offset: offset, id: id, type: draft.type(revision: 1), account: "acme-tanma", kind: .visits,
                key: draft.subject, recorded: Timestamp(seconds: 1), body: draft.encoded(id: id, revision: 1))
        }
    }

    private func values(_ count: Int) async throws -> [[UInt8]] {
        let (stream, continuation) = AsyncStream.makeStream(of: KafkaReceived.self)
        let reader = try KafkaReader(
            brokers: cluster.brokers, topics: ["millrace.visit": 2], logger: .silent
        ) { continuation.yield($0) }
        defer { reader.close() }
        var values: [[UInt8]] = []
        for await record in stream {
            values.append(record.value)
            if values.count == count { break }
        }
        return values
    }

    @Test func transactionsFollowEachOtherAndEveryRecordIsThere() async throws {
        let sink = try sink()
        #expect(await sink.open() == .ready(nil))
        for start in stride(from: Int64(1), to: 100, by: 20) {
            let outcome = await sink.commit(Self.events(start...(start + 19)), position: start + 19)
            #expect(outcome == .committed)
        }
        await sink.close()
        #expect(Set(try await values(100)) == Set(Self.events(1...100).map(\.body)))
    }

    @Test(
        arguments: [
            (
                KafkaMockCluster.Request.addPartitions,
                [KafkaMockCluster.Failure.concurrentTransactions, .coordinatorLoading]
            ),
            (.addOffsets, [.coordinatorMoved]), (.endTransaction, [.coordinatorLoading, .coordinatorMoved]),
            (.commitOffsets, [.coordinatorLoading]), (.produce, [.leaderMoved, .timedOut]),
        ] as [(KafkaMockCluster.Request, [KafkaMockCluster.Failure])])
    func whatPassesIsWaitedForInsideTheTransaction(
        request: KafkaMockCluster.Request, failures: [KafkaMockCluster.Failure]
    ) async throws {
        let sink = try sink()
        #expect(await sink.open() == .ready(nil))
        cluster.fail(request, with: failures)
        #expect(await sink.commit(Self.events(1...5), position: 5) == .committed)
        await sink.close()
        #expect(try await values(5).count == 5)
    }

    /// Brokers differ in what they say of a group that nobody has committed for.
    @Test func aGroupThatDoesNotExistYetHasNoPosition() async throws {
        cluster.fail(.fetchOffsets, with: [.groupUnknown])
        let sink = try sink()
        #expect(await sink.open() == .ready(nil))
        await sink.close()
    }

    /// A start goes on from what the group has committed, and knows who wrote it.
    @Test func aStartKnowsTheCommittedPositionAndItsWriter() async throws {
        let group = CommittedOffset(
            brokers: cluster.brokers, group: "millrace.acme", topic: "millrace.acme.log")
        try group.commit(41, metadata: #"{"log_id":"own","host":"relay-1","pid":4711}"#)
        let sink = try sink()
        let position = RemotePosition(offset: 41, logID: "own", host: "relay-1", pid: 4711)
        #expect(await sink.open() == .ready(position))
        await sink.close()
    }

    @Test func aCommittedPositionOfSomebodyElseHasNoWriter() async throws {
        let group = CommittedOffset(
            brokers: cluster.brokers, group: "millrace.acme", topic: "millrace.acme.log")
        try group.commit(7, metadata: "by hand")
        let sink = try sink()
        #expect(await sink.open() == .ready(RemotePosition(offset: 7, logID: nil, host: nil, pid: nil)))
        await sink.close()
    }

    /// The position goes with its events: where it is refused, they are not committed.
    @Test func nothingIsCommittedWithoutItsPosition() async throws {
        let sink = try sink()
        #expect(await sink.open() == .ready(nil))
        cluster.fail(.commitOffsets, with: [.fenced])
        let outcome = await sink.commit(Self.events(1...2), position: 2)
        #expect(outcome != .committed)
        await sink.close()
    }

    @Test func aRefusedRecordAbortsItsTransactionAndIsNamed() async throws {
        let sink = try sink(["message.max.bytes": Secret("3000")])
        #expect(await sink.open() == .ready(nil))
        let mixed = Self.events(1...2) + Self.events(3...3, size: 5000) + Self.events(4...4)
        guard case .refused(let reasons) = await sink.commit(mixed, position: 4) else {
            return #expect(Bool(false))
        }
        #expect(reasons.keys.contains(2) && reasons[2]?.reason.contains("too large") == true)
        #expect(await sink.commit(Self.events(1...2), position: 2) == .committed)
        await sink.close()
        let text = metrics.registry.text
        #expect(text.contains(counted("acknowledged") + " 2\n") && text.contains(counted("failed")))
        #expect(text.contains(counted("refused")))
    }

    @Test func aQueueSmallerThanATransactionIsFilledAgain() async throws {
        let sink = try sink(["queue.buffering.max.messages": Secret("30")])
        #expect(await sink.open() == .ready(nil))
        #expect(await sink.commit(Self.events(1...100), position: 100) == .committed)
        await sink.close()
        #expect(Set(try await values(100)) == Set(Self.events(1...100).map(\.body)))
    }

    /// The mock answers no admin request and makes topics on first use, as some real clusters do.
    @Test func aPositionTopicThatIsMissingIsAskedForUntilItIsThere() async throws {
        let settings = KafkaSink.Settings(
            brokers: cluster.brokers, topic: TopicTemplate("millrace.{entity}"), isBinary: false, topics: [],
            properties: [:])
        let writer = KafkaTransactions.Writer(relay: "fresh", logID: "own", host: "h", pid: 7)
        let sink = try KafkaTransactions(settings, writer: writer, logger: .silent)
        #expect(await sink.open() == .ready(nil))
        #expect(await sink.commit(Self.events(1...2), position: 2) == .committed)
        await sink.close()
    }

    @Test func aFencedProducerSaysSo() async throws {
        let sink = try sink()
        #expect(await sink.open() == .ready(nil))
        cluster.fail(.endTransaction, with: [.fenced])
        guard case .fenced = await sink.commit(Self.events(1...2), position: 2) else {
            return #expect(Bool(false))
        }
        await sink.close()
    }

    @Test func brokersThatAreAwayAreWaitedForAndASinkThatLeavesDoesNotWait() async throws {
        for broker in 1...3 { cluster.setBroker(broker, isUp: false) }
        let sink = try sink()
        let leaving = Task { await sink.open() }
        leaving.cancel()
        #expect(await leaving.value == nil)
        let opening = Task { await sink.open() }
        for broker in 1...3 { cluster.setBroker(broker, isUp: true) }
        #expect(await opening.value == .ready(nil))
        #expect(await sink.commit(Self.events(1...3), position: 3) == .committed)
        await sink.close()
    }

    @Test func aPositionsMetadataNamesItsLogAndWriter() {
        let text = PositionMetadata(logID: "ab\"c", host: "relay-1", pid: 42).text
        #expect(text == #"{"log_id":"ab\"c","host":"relay-1","pid":42}"#)
        #expect(PositionMetadata(text) == PositionMetadata(logID: "ab\"c", host: "relay-1", pid: 42))
        #expect(PositionMetadata("") == nil && PositionMetadata("{}") == nil)
    }

    @Test func aPropertyLibrdkafkaRefusesIsSaidBeforeAnythingRuns() throws {
        #expect(throws: KafkaError.self) { _ = try sink(["no.such.property": Secret("1")]) }
    }
}
