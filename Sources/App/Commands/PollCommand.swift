import Configuration
import EventModel
import Foundation
import Ingesting
import Normalizing
import OutboundHTTP
import Persisting
import Ports
import Services

/// `millrace poll`: one poll cycle of one source.
struct PollCommand: Command {
    let name = "poll"
    let summary = "one poll cycle of one source, its new events as NDJSON on stdout"
    let operands = [Operand(name: "SOURCE", isRequired: true)]
    let options = [
        Option.config,
        Option(
            name: "dry-run",
            help:
                "stores nothing: prints every event of the window with `sequence` null, also those stored already"
        ),
    ]
    let examples = [
        Example(
            "millrace poll visits --dry-run | jq .data",
            "looks at what the vendor has, beside a running relay"),
        Example("millrace poll visits", "stores what is new; exit 75 while a relay runs on the store"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let settings = try ConfigurationFile.settings(arguments)
        let name = arguments.operands[0]
        guard let source = settings.sources.first(where: { $0.name == name }) else {
            let near =
                Nearest.name(to: name, among: settings.sources.map(\.name)).map { ", did you mean \($0)?" }
                ?? ""
            let known = settings.sources.map(\.name).joined(separator: ", ")
            throw .usage("poll: no source \(name)\(near) (sources: \(known))")
        }
        // The bar says how far it is; on a pipe the log's lines do.
        let bars = Terminal.errorIsTerminal ? ProgressBars() : nil
        let logger = Logger.above(bars, level: bars == nil ? .info : .warning, format: settings.log.format)
        return arguments.has("dry-run")
            ? try await dryRun(source, settings, logger) : try await poll(source, settings, bars, logger)
    }

    private func poll(
        _ source: Settings.Source, _ settings: Settings, _ bars: ProgressBars?, _ logger: Logger
    ) async throws(CommandError) -> Int32 {
        var only = settings
        only.sources = [source]
        do {
            let assembly = try Assembly(
                only, timekeeper: SystemTimekeeper(), display: bars ?? NoDisplay(), logger: logger)
            guard let poller = assembly.pollers().first else {
                throw CommandError.usage("poll: the account of \(source.name) is missing")
            }
            var position = assembly.log.head
            let cycle = try await cycle(of: poller)
            while position < assembly.log.head {
                let events = try await assembly.log.events(after: position, limit: 1000)
                var lines: [UInt8] = []
                lines.reserveCapacity(events.reduce(0) { $0 + $1.body.count + 1 })
                for event in events { lines += event.body + [UInt8(ascii: "\n")] }
                Output.bytes(lines)
                position = events.last?.offset ?? assembly.log.head
            }
            let rows = cycle.result.rows
            Terminal.say(
                "\(source.name): \(rows.read) rows, \(rows.stored) stored, \(rows.updated) updated, "
                    + "\(cycle.result.deleted) deleted, \(rows.duplicate) duplicates, \(rows.rejected) rejected"
            )
            if let failure = cycle.failure {
                throw CommandError.failed(
                    "\(source.name): \(cycle.failed) customers could not be read, the last because: \(failure)"
                )
            }
            return 0
        } catch let error as CommandError {
            throw error
        } catch let error as LogError {
            throw CommandError(error)
        } catch {
            throw .failed("\(source.name): \(error)")
        }
    }

    private func cycle(of poller: Assembly.Poller) async throws -> PollCycle {
        switch poller {
        case .windows(let poller, _): PollCycle(ReadingResult(rows: try await poller.pollOnce()))
        case .customers(let poller, _): try await poller.pollOnce()
        }
    }

    private func dryRun(
        _ source: Settings.Source, _ settings: Settings, _ logger: Logger
    ) async throws(CommandError) -> Int32 {
        let timekeeper = SystemTimekeeper()
        let http = HTTPClient()
        defer { http.close() }
        guard let account = settings.accounts.first(where: { $0.name == source.account }) else {
            throw .usage("poll: the account of \(source.name) is missing")
        }
        let connector = Catalog(
            http: http, timekeeper: timekeeper, privacy: Privacy(settings.privacy), logger: logger
        ).connector(for: source, of: account, gate: Assembly.gate(account, timekeeper, logger))
        let normalizing = RowNormalizing(
            relay: settings.relay.name, account: source.account, normalizer: connector.normalizer)
        let position = try await position(of: source, settings)
        var seen: Set<EventID> = []
        do throws(SourceError) {
            switch connector.reader {
            case .windows(let list):
                let dry = DryPoll(
                    list, normalizing: normalizing, schedule: Assembly.schedule(source),
                    position: position, timekeeper: timekeeper)
                try await dry.run { rows in
                    for row in rows { Self.show(row, &seen) }
                }
            case .customers(let lists, let relations):
                let dry = DryCustomerPoll(
                    lists, relations: relations, normalizing: normalizing,
                    since: Assembly.customerSchedule(source, account).since, timekeeper: timekeeper)
                try await dry.run { rows in
                    for row in rows { Self.show(row, &seen) }
                }
            }
        } catch {
            throw .failed("\(source.name): \(error)")
        }
        return 0
    }

    /// Page edges repeat rows; each is shown once.
    private static func show(_ row: LogRow, _ seen: inout Set<EventID>) {
        switch row {
        case .event(let draft, _):
            let id = draft.id(revision: 1)
            guard seen.insert(id).inserted else { return }
            let event = EventSlots.emptied(draft.encoded(id: id, revision: 1))
            Output.bytes(event + [UInt8(ascii: "\n")])
        case .rejected(_, let reason):
            Terminal.say("a row would go to quarantine: \(reason)")
        }
    }

    /// Nil when there is no store yet: the source has not begun.
    private func position(
        of source: Settings.Source, _ settings: Settings
    ) async throws(CommandError) -> SourcePosition? {
        do throws(LogError) {
            let records = try await LogReader(path: settings.store.path).sources()
            return records.first { $0.identity.account == source.account && $0.identity.kind == source.kind }?
                .position
        } catch {
            if error.kind == .missing { return nil }
            throw CommandError(error)
        }
    }
}
