import BenchEnds
import Dispatch

/// The receiver that stands at the other end of every delivery that is measured (receiver.c).
final class Receiver: @unchecked Sendable {
    // It has a lock of its own.
    private let receiver: OpaquePointer

    init() throws {
        guard let receiver = bench_receiver_start() else { throw BenchFailure("the receiver cannot listen") }
        self.receiver = receiver
    }

    deinit {
        bench_receiver_stop(receiver)
    }

    var port: Int32 { bench_receiver_port(receiver) }
    var count: Int { bench_receiver_count(receiver) }

    /// Returns when so many requests have been answered since the start.
    func waits(until count: Int) async throws {
        let isThere = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                continuation.resume(returning: bench_receiver_wait(receiver, count) == 0)
            }
        }
        guard isThere else { throw BenchFailure("only \(self.count) of \(count) deliveries arrived") }
    }
}
