import Kafka
import Services
import Synchronization
import Testing

@testable import KafkaSink

/// What is said of topics that are not as they are configured. Real: librdkafka and its mock cluster.
@Suite(.timeLimit(.minutes(1))) struct TopicKeeperTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }

        var logger: Logger {
            Logger(
                level: .info, format: .text, now: { 0 },
                write: { line in self.lines.withLock { $0.append(line) } })
        }
    }

    private func opened(_ topics: [KafkaTopic]) async throws -> (lines: [String], partitions: [String: Int]) {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("millrace.visit", partitions: 2)
        let lines = Lines()
        let sink = try KafkaSink(
            KafkaSink.Settings(
                brokers: cluster.brokers, topic: TopicTemplate("millrace.{entity}"), isBinary: false,
                topics: topics, properties: [:]), logger: lines.logger)
        #expect(await sink.open())
        await sink.close()
        let looking = try KafkaProducer(
            properties: ["bootstrap.servers": cluster.brokers], logger: .silent)
        defer { looking.close() }
        return (lines.all, try looking.topics(timeout: .seconds(10)))
    }

    private func topic(_ name: String, partitions: Int) -> KafkaTopic {
        KafkaTopic(name: name, partitions: partitions, replication: 1, properties: [:])
    }

    @Test(arguments: [(1, false), (2, false), (6, true)])
    func fewerPartitionsThanConfiguredAreAWarningAndNoChange(configured: Int, isWarned: Bool) async throws {
        let (lines, partitions) = try await opened([topic("millrace.visit", partitions: configured)])
        #expect(partitions["millrace.visit"] == 2)
        let warnings = lines.filter { $0.contains("topic has fewer partitions than configured") }
        #expect(warnings.count == (isWarned ? 1 : 0))
        #expect(warnings.allSatisfy { $0.contains("topic=millrace.visit") && $0.contains("count=2") })
    }

    /// The mock answers no admin request.
    @Test func topicThatCannotBeCreatedIsAWarningAndTheSinkOpens() async throws {
        let (lines, _) = try await opened([
            topic("millrace.visit", partitions: 2), topic("millrace.operations", partitions: 1),
        ])
        #expect(lines.contains { $0.contains("topics could not be created, publishing is tried") })
    }
}
