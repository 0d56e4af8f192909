import EventModel
import Foundation
import Kafka
import Persisting
import Ports
import Services
import Synchronization
import Testing

@testable import KafkaSink

/// Pins what a record looks like (contract, section 5) and that every event has one outcome.
@Suite(.timeLimit(.minutes(1))) struct KafkaSinkTests {
    private static func event(_ offset: Int64, data: String = #"{"a":1}"#, subject: String = "unionid/x")
        -> StoredEvent
    {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: .visits, identity: "\(offset)",
            time: Timestamp(seconds: 1000),
            subject: subject, data: Array(data.utf8))
        let id = draft.id(revision: 1)
        var body = draft.encoded(id: id, revision: 1)
        EventSlots.fill(&body, offset: offset, recordedTime: Array("2026-11-01T00:00:00.000Z".utf8))
        return StoredEvent(
            offset: offset, id: id, type: draft.type(revision: 1), account: "acme-tanma", kind: .visits,
            key: subject,
            recorded: Timestamp(seconds: 1), body: body)
    }

    private static func settings(_ brokers: String, isBinary: Bool = false) -> KafkaSink.Settings {
        KafkaSink.Settings(
            brokers: brokers, topic: TopicTemplate("millrace.{entity}"), isBinary: isBinary, topics: [],
            properties: [:])
    }

    @Test func structuredRecordIsTheStoredBytesUnderTheKey() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("millrace.visit", partitions: 2)
        let sink = try KafkaSink(Self.settings(cluster.brokers), logger: .silent)
        let events = (Int64(1)...20).map { Self.event($0) }
        #expect(await sink.begin(events).failures().isEmpty)
        await sink.close()
        let records = try await read(cluster, 20)
        #expect(Set(records.map(\.value)) == Set(events.map(\.body)))
        let record = try #require(records.first)
        #expect(String(decoding: record.key, as: UTF8.self) == "unionid/x")
        #expect(record.headers.map(\.name) == ["content-type", "ce_id", "ce_type"])
        #expect(record.headers[0].value == "application/cloudevents+json; charset=UTF-8")
        #expect(record.headers[2].value == "visit.recorded")
        // One key: log order within its partition.
        #expect(records.map(\.value) == events.map(\.body))
    }

    @Test func binaryRecordIsTheDataWithEveryAttributeAsAHeader() throws {
        let event = Self.event(7, data: #"{"a":"\",\"data\":"}"#, subject: #"unionid/","data":{"#)
        #expect(String(decoding: BinaryMode.data(event.body), as: UTF8.self) == #"{"a":"\",\"data\":"}"#)
        let headers = Dictionary(
            uniqueKeysWithValues: BinaryMode.headers(event.body).map { ($0.name, $0.value) })
        #expect(
            headers == [
                "content-type": "application/json", "ce_id": event.id.text,
                "ce_sequence": "00000000000000000007",
                "ce_recordedtime": "2026-11-01T00:00:00.000Z", "ce_specversion": "1.0",
                "ce_source": "/acme/acme-tanma/tanma.visits", "ce_type": "visit.recorded",
                "ce_subject": #"unionid/","data":{"#, "ce_time": "1970-01-01T00:16:40Z",
                "ce_dataschema": "urn:millrace:visit.recorded:1", "ce_partitionkey": #"unionid/","data":{"#,
                "ce_revision": "1",
            ])
    }

    @Test(arguments: [
        ("millrace.{entity}", "millrace.visit"), ("{vendor}-{account}", "tanma-acme-tanma"),
        ("{type}", "visit.recorded"),
        ("all", "all"),
    ])
    func templateIsFilled(template: String, topic: String) {
        #expect(TopicTemplate(template).name(for: Self.event(1)) == topic)
    }

    @Test func namesOfATemplateAreEachOnceAndOnlyThoseThatArePublished() throws {
        let sources: [(account: String, kind: SourceKind)] = [
            ("a", .visits), ("b", .visits), ("a", .outflow),
        ]
        let template = TopicTemplate("m.{entity}")
        let everything = try #require(NamePattern("*"))
        #expect(
            template.names(for: sources, matching: [everything]) == ["m.operations", "m.outflow", "m.visit"])
        let visits = try #require(NamePattern("visit.*"))
        #expect(template.names(for: sources, matching: [visits]) == ["m.visit"])
        let operations = try #require(NamePattern("millrace.log.expired"))
        #expect(
            TopicTemplate("{account}.{type}").names(for: sources, matching: [operations])
                == ["millrace.millrace.log.expired"])
    }

    @Test func recordsAreCountedByTopicAndResult() async throws {
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("millrace.visit", partitions: 2)
        let metrics = RelayMetrics()
        var settings = Self.settings(cluster.brokers)
        settings.properties = ["message.max.bytes": Secret("3000")]
        settings.metrics = KafkaMetrics(metrics)
        let sink = try KafkaSink(settings, logger: .silent)
        let large = Self.event(3, data: "{\"a\":\"\(String(repeating: "x", count: 5000))\"}")
        let failures = await sink.begin([Self.event(1), Self.event(2), large]).failures()
        #expect(failures.count == 1)
        await sink.close()
        let counted = "millrace_kafka_records_total{topic=\"millrace.visit\",result="
        #expect(metrics.registry.text.contains(counted + "\"acknowledged\"} 2\n"))
        #expect(metrics.registry.text.contains(counted + "\"refused\"} 1\n"))
    }

    @Test func brokerThatIsAwayIsWaitedForAndCancellationLeaves() async throws {
        let sink = try KafkaSink(Self.settings("127.0.0.1:1"), logger: .silent)
        let opening = Task { await sink.open() }
        opening.cancel()
        #expect(await opening.value == false)
        let delivering = Task { await sink.begin([Self.event(1)]).failures() }
        delivering.cancel()
        guard case .retry? = await delivering.value[0] else {
            Issue.record("a cancelled delivery is to be done again")
            return
        }
        await sink.close()
    }

    private func read(_ cluster: KafkaMockCluster, _ count: Int) async throws -> [KafkaReceived] {
        let (stream, continuation) = AsyncStream.makeStream(of: KafkaReceived.self)
        let reader = try KafkaReader(brokers: cluster.brokers, topics: ["millrace.visit": 2], logger: .silent)
        {
            continuation.yield($0)
        }
        defer { reader.close() }
        var records: [KafkaReceived] = []
        for await record in stream {
            records.append(record)
            if records.count == count { break }
        }
        return records
    }
}
