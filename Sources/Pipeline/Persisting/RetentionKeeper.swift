package import Services
import EventModel
package import Ports

/// Forgets what the configuration says may be forgotten, once a minute, in small steps.
package struct RetentionKeeper: Service {
    package let name = "retention"
    private let log: EventLog
    private let retention: Duration
    private let dedupRetention: Duration
    private let timekeeper: any Timekeeper
    private let logger: Logger
    private let stopSignal = StopSignal()

    static let every: Duration = .seconds(60)

    /// - Parameters:
    ///   - retention: zero keeps events for ever.
    ///   - dedupRetention: zero keeps dedup keys for ever.
    package init(
        _ log: EventLog, retention: Duration, dedupRetention: Duration, timekeeper: any Timekeeper,
        logger: Logger
    ) {
        (self.log, self.retention, self.dedupRetention) = (log, retention, dedupRetention)
        (self.timekeeper, self.logger) = (timekeeper, logger)
    }

    package func run() async throws {
        while !stopSignal.isStopped, !Task.isCancelled {
            await forget()
            _ = await stopSignal.unlessStopped {
                do throws(CancellationError) { try await timekeeper.sleep(for: Self.every) } catch { return }
            }
        }
    }

    package func stop() async {
        stopSignal.stop()
    }

    private func forget() async {
        var removed = 0
        do throws(LogError) {
            while !stopSignal.isStopped {
                let step = try await log.forget(retention: retention, dedupRetention: dedupRetention)
                removed += step
                if step == 0 { break }
            }
            if removed > 0 { logger.info("old rows removed", [.count: .count(removed)]) }
        } catch {
            logger.warning("retention failed, will be tried again", [.cause: .text(error.description)])
        }
    }
}
