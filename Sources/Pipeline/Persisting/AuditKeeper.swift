import EventModel
package import Ports
package import Services

/// Looks at the account while the relay runs, and says at `error` when it does not balance.
///
/// Every five minutes by the counts alone, once a day with everything counted. What does not balance is said once, not
/// every five minutes; a difference that grew is said again.
package struct AuditKeeper: Service {
    package let name = "audit"
    private let log: EventLog
    private let timekeeper: any Timekeeper
    private let logger: Logger
    private let stopSignal = StopSignal()

    static let every: Duration = .seconds(300)
    /// Every how many rounds everything is counted: once a day.
    static let thoroughRounds = 288

    package init(_ log: EventLog, timekeeper: any Timekeeper, logger: Logger) {
        (self.log, self.timekeeper, self.logger) = (log, timekeeper, logger)
    }

    package func run() async throws {
        var said: Set<Discrepancy> = []
        var round = 0
        while !stopSignal.isStopped, !Task.isCancelled {
            await look(thorough: round % Self.thoroughRounds == Self.thoroughRounds - 1, &said)
            round += 1
            _ = await stopSignal.unlessStopped {
                do throws(CancellationError) { try await timekeeper.sleep(for: Self.every) } catch { return }
            }
        }
    }

    package func stop() async {
        stopSignal.stop()
    }

    private func look(thorough: Bool, _ said: inout Set<Discrepancy>) async {
        do throws(LogError) {
            let found = try await log.audit(thorough: thorough).discrepancies
            for one in found where said.insert(one).inserted {
                logger.error("the account does not balance", [.cause: .text(one.description)])
            }
        } catch {
            logger.warning("audit failed, will be tried again", [.cause: .text(error.description)])
        }
    }
}
