import Configuration
import Foundation
import Kafka
import Persisting
import Services

/// `millrace run`: the relay, until SIGTERM or SIGINT; SIGHUP reads the configuration again.
struct RunCommand: Command {
    let name = "run"
    let summary = "the relay: polls, stores, publishes, until SIGTERM or SIGINT"
    let options = [
        Option.config,
        Option(
            name: "adopt",
            help:
                "goes on from the store's position where the one in Kafka belongs to another log or a newer copy"
        ),
    ]
    let examples = [
        Example("millrace run --config millrace.yaml", "runs the relay in the foreground; logs go to stderr"),
        Example(
            "millrace run --adopt",
            "once, after the store was replaced on purpose: exit 2 said whose position it is"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let settings = try ConfigurationFile.settings(arguments)
        let signals = Signals()
        FileLimit.raise()
        let bars = Terminal.errorIsTerminal ? ProgressBars() : nil
        let logger = Logger.above(bars, level: settings.log.level, format: settings.log.format)
        let log: EventLog
        let code: Int32
        do {
            let assembly = try Assembly(
                settings, timekeeper: SystemTimekeeper(), display: bars ?? NoDisplay(),
                adopts: arguments.has("adopt"), logger: logger)
            log = assembly.log
            code = try await run(assembly, signals, logger) { ConfigurationFile.read(arguments) }
        } catch let error as CommandError {
            throw error
        } catch let error as LogError {
            throw CommandError(error)
        } catch {
            throw .usage("\(error)")
        }
        // The writer closes last, after everything that read beside it: so the store is one file again.
        withExtendedLifetime(log) {}
        return code
    }

    private func run(
        _ assembly: Assembly, _ signals: Signals, _ logger: Logger,
        read: @escaping @Sendable () -> ConfigurationReading
    ) async throws -> Int32 {
        let settings = assembly.settings
        let running = try assembly.running()
        logger.info(
            "relay started",
            [
                .name: .text(settings.relay.name), .version: .text(App.version),
                .store: .text(settings.store.path),
                .log: .text(assembly.log.logID), .head: .number(assembly.log.head), .pid: .count(getpid()),
            ])
        let reload = Reload(assembly, running, at: signals.hangups(), logger: logger, read: read)
        return try await serve(running.services + [[reload]], settings, signals, logger)
    }

    private func serve(
        _ services: [[any Service]], _ settings: Settings, _ signals: Signals, _ logger: Logger
    ) async throws(CommandError) -> Int32 {
        let group = ServiceGroup(services, deadline: settings.relay.shutdown, logger: logger)
        do {
            switch try await group.run(until: { await signals.wait() }) {
            case .stopped:
                logger.info("relay stopped")
            case .deadlinePassed(let late):
                logger.warning(
                    "relay stopped at its deadline, what was under way is done again at the next start",
                    [.services: .text(late.joined(separator: ", "))])
            }
            return 0
        } catch {
            logger.error("relay failed", [.cause: .text("\(error)")])
            switch ((error as? ServiceFailure)?.cause as? RelayStop)?.kind {
            case .foreign: throw .usage("\(error)")
            case .fenced: throw .temporary("\(error)")
            case nil: throw .failed("\(error)")
            }
        }
    }
}
