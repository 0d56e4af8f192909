import Configuration
import Services
import Serving
import Synchronization

/// Reads the configuration again while the relay runs (SIGHUP; contract, section 2).
///
/// Accounts, sources, tokens, privacy and the log's level are taken over at once; positions are kept. A file that is wrong, or that
/// changes what only a start can change, changes nothing.
final class Reload: Sendable {
    private let read: @Sendable () -> ConfigurationReading
    private let assembly: Assembly
    private let running: Assembly.Running
    private let logger: Logger
    private let current: Mutex<Settings>

    init(
        _ assembly: Assembly, _ running: Assembly.Running, logger: Logger,
        read: @escaping @Sendable () -> ConfigurationReading
    ) {
        (self.assembly, self.running, self.logger, self.read) = (assembly, running, logger, read)
        current = Mutex(assembly.settings)
    }

    func run() {
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
        if old.webhooks != settings.webhooks {
            logger.warning("changed webhooks are taken over at the next start", [:])
        }
        takeOver(settings, from: old)
        current.withLock { $0 = settings }
        logger.info("configuration read again", [.count: .count(settings.sources.count)])
    }

    private func takeOver(_ settings: Settings, from old: Settings) {
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
