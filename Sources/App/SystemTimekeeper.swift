import EventModel
import Foundation
import Ports

/// The machine's own clocks. Made in `Assembly` and nowhere else.
struct SystemTimekeeper: Timekeeper {
    private let begin = ContinuousClock.now

    var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    var elapsed: Duration { ContinuousClock.now - begin }

    func sleep(for duration: Duration) async throws(CancellationError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw CancellationError()
        }
    }
}
