import CRdKafka
import Synchronization

/// Records that were handed to librdkafka together, until each has its delivery report.
///
/// One slot a record and no allocation for any of them: librdkafka carries the slot's address and gives it back with
/// the report.
package final class KafkaDelivery: @unchecked Sendable {
    // A slot is written once, before the countdown that publishes it, by the thread that serves reports or the one that
    // produces; it is read only after the countdown has reached zero.
    struct Slot {
        let delivery: Unmanaged<KafkaDelivery>
        var code: rd_kafka_resp_err_t
    }

    private struct State {
        var isSettled = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let slots: UnsafeMutablePointer<Slot>
    private let count: Int
    /// One more than the records, so that it cannot settle while records are still handed over.
    private let open: Atomic<Int>
    private let state = Mutex(State())

    init(count: Int) {
        self.count = count
        open = Atomic(count + 1)
        slots = .allocate(capacity: max(1, count))
        // Taken back by the last countdown: librdkafka holds addresses into this object until then.
        let own = Unmanaged.passRetained(self)
        for place in 0..<count {
            (slots + place).initialize(to: Slot(delivery: own, code: RD_KAFKA_RESP_ERR_NO_ERROR))
        }
    }

    deinit {
        slots.deinitialize(count: count)
        slots.deallocate()
    }

    /// Waits for every report; the records that were not acknowledged, by their place.
    package func failures() async -> [Int: KafkaError] {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                if !state.isSettled { state.waiting = continuation }
                return state.isSettled
            }
            if isSettled { continuation.resume() }
        }
        var failures: [Int: KafkaError] = [:]
        for place in 0..<count where slots[place].code != RD_KAFKA_RESP_ERR_NO_ERROR {
            failures[place] = KafkaError(slots[place].code, doing: "deliver to Kafka")
        }
        return failures
    }

    func opaque(_ place: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(slots + place) }

    /// The report of one record, by what librdkafka carried for it.
    static func report(_ opaque: UnsafeMutableRawPointer, _ code: rd_kafka_resp_err_t) {
        let slot = opaque.assumingMemoryBound(to: Slot.self)
        slot.pointee.code = code
        slot.pointee.delivery.takeUnretainedValue().countDown()
    }

    /// A record that librdkafka did not take: it will have no report.
    func refused(_ place: Int, _ code: rd_kafka_resp_err_t) {
        Self.report(opaque(place), code)
    }

    /// All records are handed over.
    func handedOver() {
        countDown()
    }

    private func countDown() {
        guard open.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        let waiting = state.withLock { state in
            state.isSettled = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
        Unmanaged.passUnretained(self).release()
    }
}
