import CRdKafka
import Foundation
import Services
import Synchronization

/// One `rd_kafka_t` with its configuration, and the thread that takes what it has to say.
///
/// The handle is destroyed with its last reference; librdkafka itself is thread-safe (INTRODUCTION.md, "Threads and
/// callbacks"), which is what makes the pointer sendable.
final class KafkaHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// - Throws: `.configuration` naming the property librdkafka refuses, never its value: it may be a password.
    init(
        _ type: rd_kafka_type_t, properties: [String: String], events: Int32
    ) throws(KafkaError) {
        let configuration = rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        // Without it librdkafka writes its own lines to stderr.
        let all = properties.merging(["log.queue": "true"]) { own, _ in own }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
            guard result == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                let cause =
                    result == RD_KAFKA_CONF_UNKNOWN
                    ? "librdkafka knows no such property" : "librdkafka refuses its value"
                throw KafkaError(.configuration, doing: "set the Kafka property \(name)", cause: cause)
            }
        }
        rd_kafka_conf_set_events(configuration, events)
        // rd_kafka_new takes the configuration only when it succeeds.
        guard let pointer = rd_kafka_new(type, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            let cause = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw KafkaError(.configuration, doing: "make a Kafka client", cause: cause)
        }
        self.pointer = pointer
        rd_kafka_set_log_queue(pointer, nil)
    }

    deinit {
        rd_kafka_destroy(pointer)
    }

    /// Tries properties on librdkafka without connecting anywhere; for `millrace check`.
    static func refusal(of name: String, value: String) -> KafkaError? {
        let configuration = rd_kafka_conf_new()
        defer { rd_kafka_conf_destroy(configuration) }
        switch rd_kafka_conf_set(configuration, name, value, nil, 0) {
        case RD_KAFKA_CONF_OK:
            return nil
        case RD_KAFKA_CONF_UNKNOWN:
            return KafkaError(.configuration, doing: name, cause: "librdkafka knows no such property")
        default:
            return KafkaError(.configuration, doing: name, cause: "librdkafka refuses its value")
        }
    }
}

/// Serves one queue of a handle on a thread of its own until it is told to end; librdkafka wakes it, it never sleeps.
final class KafkaPoller: @unchecked Sendable {
    // rd_kafka_queue_yield(3) may be called from any thread; the queue is let go only after the thread has left it.
    private let queue: OpaquePointer
    private let isEnding = Mutex(false)
    private let ended = DispatchSemaphore(value: 0)
    private let handle: KafkaHandle

    /// - Parameter serve: gets each event on the poller's thread and must not block; the event is destroyed after it.
    init(
        _ handle: KafkaHandle, queue: OpaquePointer, name: String,
        serve: @escaping @Sendable (OpaquePointer) -> Void
    ) {
        (self.handle, self.queue) = (handle, queue)
        let thread = Thread { [self] in
            // Half a minute: an empty look now and then costs nothing, and bounds what a lost wake-up could cost.
            while !isEnding.withLock({ $0 }) {
                guard let event = rd_kafka_queue_poll(self.queue, 30_000) else { continue }
                serve(event)
                rd_kafka_event_destroy(event)
            }
            ended.signal()
        }
        thread.name = name
        thread.start()
    }

    /// Ends the thread and waits for it. Called once, before the handle is let go.
    func end() {
        isEnding.withLock { $0 = true }
        rd_kafka_queue_yield(queue)
        ended.wait()
        rd_kafka_queue_destroy(queue)
    }
}
