package import Services
import EventModel
package import Ports

/// Forgets what the configuration says may be forgotten, once a minute, in small steps.
package struct RetentionKeeper: Service {
    package let name = "retention"
    private let log: EventLog
    private let policy: Policy
    private let relay: String
    private let didCut: @Sendable (RetentionCut) -> Void
    private let timekeeper: any Timekeeper
    private let logger: Logger
    private let stopSignal = StopSignal()

    static let every: Duration = .seconds(60)

    /// How long things are kept; zero is for ever.
    package struct Policy: Sendable {
        let retention, hard, dedupRetention: Duration

        /// - Parameter hard: even what a sink has not settled goes after this long.
        package init(retention: Duration, hard: Duration, dedupRetention: Duration) {
            (self.retention, self.hard, self.dedupRetention) = (retention, hard, dedupRetention)
        }
    }

    /// - Parameters:
    ///   - relay: the relay's name, for the event that tells of a cut.
    ///   - didCut: called once a cut is on disk, so that sinks count what is gone.
    package init(
        _ log: EventLog, _ policy: Policy, relay: String, timekeeper: any Timekeeper, logger: Logger,
        didCut: @escaping @Sendable (RetentionCut) -> Void = { _ in }
    ) {
        (self.log, self.policy, self.relay, self.didCut) = (log, policy, relay, didCut)
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
                let step = try await log.forget(
                    retention: policy.retention, hard: policy.hard, dedupRetention: policy.dedupRetention,
                    relay: relay)
                removed += step.removed
                if let cut = step.cut { tell(cut) }
                if step.removed == 0 { break }
            }
            if removed > 0 { logger.info("old rows removed", [.count: .count(removed)]) }
        } catch {
            logger.warning("retention failed, will be tried again", [.cause: .text(error.description)])
        }
    }

    private func tell(_ cut: RetentionCut) {
        didCut(cut)
        for sink in cut.sinks {
            logger.error(
                "events were removed that a sink still needed",
                [
                    .sink: .text(sink.name), .count: .number(sink.events), .from: .number(cut.from),
                    .to: .number(cut.until),
                ])
        }
    }
}
