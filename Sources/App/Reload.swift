import Configuration
import Persisting
import Publishing
import Services
import Serving
import Synchronization

/// Reads the configuration again while the relay runs (SIGHUP; contract, section 2).
///
/// Accounts, sources, webhooks, tokens, privacy and the log's level are taken over at once; positions are kept. A file that is wrong, or that
/// changes what only a start can change, changes nothing.
final class Reload: Service {
    let name = "reload"
    private let hangups: AsyncStream<Void>
    private let stopSignal = StopSignal()
    private let read: @Sendable () -> ConfigurationReading
    private let assembly: Assembly
    private let running: Assembly.Running
    private let logger: Logger
    private let current: Mutex<Settings>

    init(
        _ assembly: Assembly, _ running: Assembly.Running, at hangups: AsyncStream<Void>, logger: Logger,
        read: @escaping @Sendable () -> ConfigurationReading
    ) {
        (self.assembly, self.running, self.hangups) = (assembly, running, hangups)
        (self.logger, self.read) = (logger, read)
        current = Mutex(assembly.settings)
    }

    func run() async throws {
        _ = await stopSignal.unlessStopped {
            for await _ in self.hangups { await self.reload() }
        }
    }

    func stop() async {
        stopSignal.stop()
    }

    private func reload() async {
        let reading = read()
        guard let settings = reading.settings else {
            for problem in reading.problems {
                logger.error("the configuration was not taken over", [.reason: .text(problem.description)])
            }
            return
        }
        let old = current.withLock { $0 }
        let restart = Self.needsRestart(old, settings)
        guard restart.isEmpty else {
            logger.error(
                "the configuration was not taken over",
                [.reason: .text("\(restart.joined(separator: ", ")): needs a restart")])
            return
        }
        do throws(LogError) {
            try await takeOver(settings, from: old)
        } catch {
            logger.error("the configuration was not taken over", [.reason: .text(error.description)])
            return
        }
        current.withLock { $0 = settings }
        logger.info("configuration read again", [.count: .count(settings.sources.count)])
    }

    /// Webhooks first: only they can fail, and what fails has changed nothing.
    private func takeOver(_ settings: Settings, from old: Settings) async throws(LogError) {
        if old.webhooks != settings.webhooks {
            try await running.engine.reload(Assembly.configured(settings.webhooks))
        }
        logger.change(level: settings.log.level, format: settings.log.format)
        running.api?.reload(tokens: settings.http.map(Assembly.tokens) ?? [])
        let isPollingTheSame =
            old.accounts == settings.accounts && old.sources == settings.sources
            && old.privacy == settings.privacy
        if !isPollingTheSame {
            running.fleet.replace { boards in self.assembly.pollers(settings, boards: boards) }
        }
    }

    /// The parts of a file that only a start takes over.
    static func needsRestart(_ old: Settings, _ new: Settings) -> [String] {
        var parts: [String] = []
        if old.relay != new.relay { parts.append("relay") }
        if old.store != new.store { parts.append("store") }
        if old.kafka != new.kafka { parts.append("kafka") }
        if listening(old.http) != listening(new.http) { parts.append("http.listen") }
        return parts
    }

    /// What the listening socket depends on: all of `http` but the tokens.
    private static func listening(_ http: Settings.HTTP?) -> Settings.HTTP? {
        var http = http
        http?.tokens = []
        return http
    }
}
