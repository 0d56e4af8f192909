package import EventModel
import Foundation
package import Kafka
package import Ports
package import Services
import Synchronization

/// Publishes the log to Kafka exactly once: events and the log's position in one transaction (contract, section 5).
///
///     begin ── records ── position as the group's offset ── commit
///
/// The position is the offset of group `millrace.{relay}` in partition 0 of the empty topic `millrace.{relay}.log`, with
/// `{log_id, host, pid}` as its metadata: readable with any Kafka tool. A relay that starts fences the one before it. What a
/// step's error means is librdkafka's to say (`KafkaTransactionError`); whenever it is not known whether a transaction was
/// committed, the producer is thrown away and the position asked for anew.
package final class KafkaTransactions: TransactionalSink {
    /// Who writes: goes into the position's metadata.
    package struct Writer: Sendable {
        package let relay: String
        package let logID: String
        package let host: String
        package let pid: Int

        package init(relay: String, logID: String, host: String, pid: Int) {
            (self.relay, self.logID, self.host, self.pid) = (relay, logID, host, pid)
        }

        var group: String { "millrace.\(relay)" }
        var positionTopic: String { "millrace.\(relay).log" }
        var transactionalID: String { "millrace.\(relay)" }
    }

    /// One call into librdkafka; between two of them the relay may want to leave.
    private static let step: Duration = .milliseconds(500)

    private let settings: KafkaSink.Settings
    private let writer: Writer
    private let logger: Logger
    private let blocking = DispatchQueue(label: "millrace.kafka.transactions")
    private let producer = Mutex<KafkaProducer?>(nil)
    private let records: RecordMaker

    /// Tries the properties on librdkafka; brokers need not be there yet.
    package init(_ settings: KafkaSink.Settings, writer: Writer, logger: Logger) throws(KafkaError) {
        (self.settings, self.writer, self.logger) = (settings, writer, logger)
        records = RecordMaker(settings)
        try Self.makeProducer(settings, writer, .silent).close()
    }

    package func open() async -> SinkOpening? {
        await leavable { isLeaving in self.openBlocking(isLeaving) } ?? nil
    }

    package func commit(_ events: [StoredEvent], position: Int64) async -> TransactionOutcome {
        let records = self.records.records(events)
        let outcome = await transaction(records, position)
        let tally = settings.metrics.map { RecordTally(records, $0) }
        switch outcome {
        case .committed: tally?.settled(.acknowledged)
        case .refused(let reasons): tally?.settled(.failed, except: reasons.mapValues { _ in .refused })
        case .aborted, .unknown, .fenced: tally?.settled(.failed)
        }
        return outcome
    }

    private func transaction(_ records: [KafkaRecord], _ position: Int64) async -> TransactionOutcome {
        guard let producer = producer.withLock({ $0 }) else { return .unknown("the producer is not open") }
        do throws(KafkaTransactionError) {
            try producer.beginTransaction()
        } catch {
            return outcome(error)
        }
        let failures = await send(records, producer)
        return await leavable { isLeaving in
            self.finish(producer, failures, position: position, isLeaving)
        } ?? .unknown("the relay is leaving")
    }

    package func close() async {
        guard let producer = producer.withLock({ $0 }) else { return }
        await withCheckedContinuation { continuation in
            blocking.async {
                producer.close()
                continuation.resume()
            }
        }
    }

    // MARK: - One transaction

    /// A queue that is full takes the rest once it is empty: a smaller one than a transaction is no error.
    private func send(_ records: [KafkaRecord], _ producer: KafkaProducer) async -> [Int: KafkaError] {
        var failures: [Int: KafkaError] = [:]
        var first = 0
        while first < records.count {
            let reports = await producer.send(Array(records[first...]))
            let refused = reports.filter { $0.value.kind == .queueFull }.keys.min()
            for (place, error) in reports where place < refused ?? .max { failures[first + place] = error }
            guard let refused else { break }
            if refused == 0 || !failures.isEmpty {
                failures[first + refused] = reports[refused]
                break
            }
            first += refused
        }
        return failures
    }

    private func finish(
        _ producer: KafkaProducer, _ failures: [Int: KafkaError], position: Int64,
        _ isLeaving: () -> Bool
    ) -> TransactionOutcome {
        if !failures.isEmpty {
            return abort(producer, failures.sorted { $0.key < $1.key }, isLeaving)
        }
        let metadata = PositionMetadata(logID: writer.logID, host: writer.host, pid: writer.pid).text
        let offset = KafkaGroupOffset(offset: position, metadata: metadata)
        let (topic, group) = (writer.positionTopic, writer.group)
        do throws(KafkaTransactionError) {
            try repeating(isLeaving) { () throws(KafkaTransactionError) in
                try producer.sendOffset(offset, of: topic, group: group, timeout: Self.step)
            }
            try repeating(isLeaving) { () throws(KafkaTransactionError) in
                try producer.commitTransaction(timeout: Self.step)
            }
            return .committed
        } catch {
            guard error.kind == .abortable else { return outcome(error) }
            return aborted(producer, cause: error.cause, isLeaving)
        }
    }

    /// - Parameter failed: the events' places with what was said of them.
    private func abort(
        _ producer: KafkaProducer, _ failed: [(key: Int, value: KafkaError)], _ isLeaving: () -> Bool
    ) -> TransactionOutcome {
        let refused = failed.filter { $0.value.kind == .record }
        let cause = (failed.first { $0.value.kind != .record } ?? failed[0]).value.cause
        let outcome = aborted(producer, cause: cause, isLeaving)
        guard case .aborted = outcome, !refused.isEmpty else { return outcome }
        return .refused(
            Dictionary(refused.map { ($0.key, .init(reason: $0.value.cause)) }) { first, _ in first })
    }

    private func aborted(
        _ producer: KafkaProducer, cause: String, _ isLeaving: () -> Bool
    ) -> TransactionOutcome {
        do throws(KafkaTransactionError) {
            try repeating(isLeaving) { () throws(KafkaTransactionError) in
                try producer.abortTransaction(timeout: Self.step)
            }
            return .aborted(cause)
        } catch {
            return outcome(error)
        }
    }

    private func outcome(_ error: KafkaTransactionError) -> TransactionOutcome {
        error.kind == .fenced ? .fenced(error.cause) : .unknown(error.description)
    }

    /// Makes a call until it does not ask to be made again.
    private func repeating(
        _ isLeaving: () -> Bool, _ call: () throws(KafkaTransactionError) -> Void
    ) throws(KafkaTransactionError) {
        while true {
            do throws(KafkaTransactionError) {
                return try call()
            } catch {
                guard error.kind == .retriable, !isLeaving() else { throw error }
            }
        }
    }

    // MARK: - Opening

    private func openBlocking(_ isLeaving: () -> Bool) -> SinkOpening? {
        producer.withLock { $0 }?.close()
        producer.withLock { $0 = nil }
        do {
            return try openOnce(isLeaving)
        } catch {
            return .failed("\(error)")
        }
    }

    /// Nil when the relay wants to leave.
    private func openOnce(_ isLeaving: () -> Bool) throws -> SinkOpening? {
        let fresh = try Self.makeProducer(settings, writer, logger)
        var isOpen = false
        defer { if !isOpen { fresh.close() } }
        let topics = TopicKeeper(settings, logger: logger)
        guard let existing = topics.existing(fresh, isLeaving: isLeaving) else { return nil }
        topics.makeMissing(existing, fresh)
        try requirePositionTopic(existing, fresh)
        do throws(KafkaTransactionError) {
            try repeating(isLeaving) { () throws(KafkaTransactionError) in
                try fresh.initTransactions(timeout: Self.step)
            }
        } catch {
            if error.kind == .fenced { return .fenced(error.cause) }
            throw error
        }
        let committed = try KafkaGroup.committed(
            writer.group, topic: writer.positionTopic, properties: Self.clientProperties(settings),
            timeout: TopicKeeper.adminTimeout)
        isOpen = true
        producer.withLock { $0 = fresh }
        return .ready(
            committed.map { offset in
                let writer = PositionMetadata(offset.metadata)
                return RemotePosition(
                    offset: offset.offset, logID: writer?.logID, host: writer?.host, pid: writer?.pid)
            })
    }

    /// Without it a position could not be committed; a cluster that makes topics on first use makes it when it is asked for.
    private func requirePositionTopic(_ existing: [String: Int], _ producer: KafkaProducer) throws(KafkaError)
    {
        let name = writer.positionTopic
        guard existing[name] == nil else { return }
        let replication = settings.topics.first?.replication ?? 1
        do throws(KafkaError) {
            try producer.create(
                [KafkaTopic(name: name, partitions: 1, replication: replication, properties: [:])],
                timeout: TopicKeeper.adminTimeout)
            logger.info("position topic created", [.topic: .text(name)])
        } catch {
            guard try producer.hasTopic(name, timeout: TopicKeeper.adminTimeout) else {
                throw KafkaError(
                    error.kind,
                    doing: "create the position topic \(name), without which nothing is published",
                    cause: error.cause)
            }
        }
    }

    private static func clientProperties(_ settings: KafkaSink.Settings) -> [String: String] {
        // A producer's own properties would only make the reading client complain.
        let shared = [
            "security.", "sasl.", "ssl.", "socket.", "broker.", "client.", "metadata.", "enable.ssl.",
        ]
        var properties = ["client.id": "millrace"]
        for (name, value) in settings.properties where shared.contains(where: name.hasPrefix) {
            properties[name] = value.reveal()
        }
        properties["bootstrap.servers"] = settings.brokers
        return properties
    }

    private static func makeProducer(
        _ settings: KafkaSink.Settings, _ writer: Writer, _ logger: Logger
    ) throws(KafkaError) -> KafkaProducer {
        try settings.producer(
            settings.producerProperties(["transactional.id": writer.transactionalID]), logger)
    }

    // MARK: - Off the pool

    /// Runs a blocking call on the sink's queue; it is told when the task was cancelled.
    private func leavable<T: Sendable>(_ body: @escaping @Sendable (() -> Bool) -> T) async -> T? {
        let isLeaving = Atomic(false)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                blocking.async {
                    continuation.resume(returning: body { isLeaving.load(ordering: .relaxed) })
                }
            }
        } onCancel: {
            isLeaving.store(true, ordering: .relaxed)
        }
    }
}

/// What stands beside the committed position: `{"log_id":…,"host":…,"pid":…}`.
struct PositionMetadata: Codable, Equatable {
    enum CodingKeys: String, CodingKey { case logID = "log_id", host, pid }

    let logID: String
    let host: String
    let pid: Int

    init(logID: String, host: String, pid: Int) {
        (self.logID, self.host, self.pid) = (logID, host, pid)
    }

    /// Nil for what this relay did not write.
    init?(_ text: String) {
        do { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) } catch { return nil }
    }

    var text: String {
        var writer = JSONWriter(reserving: 120)
        writer.object { object in
            object.member("log_id", logID)
            object.member("host", host)
            object.member("pid", Int64(pid))
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
