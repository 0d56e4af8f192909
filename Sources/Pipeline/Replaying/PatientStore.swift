import Persisting
import Ports
import Services

/// Asks the store for a replay until it answers: a disk that is full now has room later, and nobody starts a relay anew for
/// that.
struct PatientStore: Sendable {
    let replay: String
    let timekeeper: any Timekeeper
    let draw: @Sendable () -> Double
    let stop: StopSignal
    let logger: Logger

    /// Asked once in any case: what was settled before a stop is stored.
    /// - Returns: nil when it was stopped before the store answered.
    @discardableResult
    func ask<T: Sendable>(_ body: () async throws(LogError) -> T) async -> T? {
        var failures = 0
        repeat {
            do throws(LogError) {
                return try await body()
            } catch {
                failures += 1
                logger.warning(
                    "replay cannot use the store, it will be tried again",
                    [.name: .text(replay), .cause: .text(error.description), .attempt: .count(failures)])
                await stop.wait(ReplayPace.pause(afterFailures: failures, draw: draw()), by: timekeeper)
            }
        } while !stop.isStopped && !Task.isCancelled
        return nil
    }
}

extension StopSignal {
    /// For so long, or until the stop.
    func wait(_ duration: Duration, by timekeeper: any Timekeeper) async {
        guard duration > .zero else { return }
        _ = await unlessStopped {
            do throws(CancellationError) { try await timekeeper.sleep(for: duration) } catch { return }
        }
    }
}
