import EventModel
import Foundation
import Kafka
import Ports
import Synchronization

/// What has arrived at both ends, how often, and how long after it was stored. Prints each event as it comes.
final class Arrivals: Sendable {
    /// One end of the chain.
    struct End: Sendable {
        /// How often each id arrived.
        var counts: [String: Int] = [:]
        /// Stored → arrived.
        var latencies: [Duration] = []
        var refused = 0

        var arrivedTwice: Int { counts.values.count { $0 > 1 } }
    }

    private struct State {
        var kafka = End()
        var webhook = End()
    }

    private let state = Mutex(State())
    private let timekeeper: any Timekeeper

    init(_ timekeeper: any Timekeeper) {
        self.timekeeper = timekeeper
    }

    var kafka: End { state.withLock { $0.kafka } }
    var webhook: End { state.withLock { $0.webhook } }

    func inKafka(_ record: KafkaReceived) {
        guard let seen = SeenEvent(record.value) else { return state.withLock { $0.kafka.refused += 1 } }
        state.withLock { Self.count(seen, timekeeper.now, &$0.kafka) }
        Output.line("kafka    \(record.topic)[\(record.partition)]@\(record.offset)  \(seen.line)")
    }

    func atWebhook(_ body: [UInt8]) {
        guard let seen = SeenEvent(body) else { return refusedAtWebhook() }
        state.withLock { Self.count(seen, timekeeper.now, &$0.webhook) }
        Output.line("webhook  signature verified  \(seen.line)")
    }

    func refusedAtWebhook() {
        state.withLock { $0.webhook.refused += 1 }
    }

    /// Whether both ends have all of these.
    func hold(_ ids: Set<String>) -> Bool {
        state.withLock { state in
            ids.allSatisfy { state.kafka.counts[$0] != nil && state.webhook.counts[$0] != nil }
        }
    }

    /// Whether both ends have this many different events.
    func hold(count: Int64) -> Bool {
        state.withLock { $0.kafka.counts.count >= count && $0.webhook.counts.count >= count }
    }

    private static func count(_ seen: SeenEvent, _ now: Timestamp, _ end: inout End) {
        end.counts[seen.id, default: 0] += 1
        if let recorded = Timestamp(rfc3339: seen.recordedtime) { end.latencies.append(now - recorded) }
    }
}

/// The part of an event that a receiver of the demo looks at.
private struct SeenEvent: Decodable {
    let id, sequence, recordedtime, type, subject: String
    let revision: Int

    init?(_ body: [UInt8]) {
        do { self = try JSONDecoder().decode(SeenEvent.self, from: Data(body)) } catch { return nil }
    }

    var line: String { "#\(Int64(sequence) ?? 0)  \(type)  \(id)  \(subject)" }
}
