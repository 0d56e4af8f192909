import EventModel
import Foundation
import Persisting
import Serving

/// `millrace status`: sources, sinks and store at a glance.
struct StatusCommand: Command {
    let name = "status"
    let summary = "sources, sinks and store at a glance, also beside a running relay"
    let options =
        [
            Option.config,
            Option(name: "store", value: "FILE", help: "reads this store instead of the configuration's"),
            Option(name: "json", help: "one JSON object instead of tables"),
        ] + RelayClient.options
    let examples = [
        Example("millrace status", "how far sources and sinks are, and what waits"),
        Example("millrace status --json | jq '.sinks[].backlog'", "the same for programs"),
        Example("millrace status --url http://127.0.0.1:8080", "of a running relay, through its API"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let view: StatusView
        if let client = try RelayClient(arguments) {
            defer { client.close() }
            view = try await client.decoded("/v1/status")
        } else {
            view = try await Self.stored(ConfigurationFile.storePath(arguments))
        }
        if arguments.has("json") {
            Output.bytes(view.json + [UInt8(ascii: "\n")])
        } else {
            Output.line(StatusTables(view: view).text)
        }
        return 0
    }

    private static func stored(_ path: String) async throws(CommandError) -> StatusView {
        do throws(LogError) {
            let reader = try LogReader(path: path)
            return StatusView(
                try await reader.summary(), sources: try await reader.sources(),
                sinks: try await reader.sinks(), now: SystemTimekeeper().now)
        } catch {
            throw CommandError(error)
        }
    }
}

/// What `status` shows a person. Pure.
struct StatusTables {
    let view: StatusView

    var text: String {
        [sourceTable, sinkTable, storeTable].joined(separator: "\n\n")
    }

    private var sourceTable: String {
        var table = TextTable([
            "SOURCE", "KIND", "LAST SUCCESS", "LAG", "STORED", "UPDATED", "DELETED", "DUPLICATES", "REJECTED",
            "TOO OLD", "CUSTOMERS",
        ])
        for source in view.sources {
            table.add([
                source.name, source.kind, source.lastSuccess.map(Self.withoutFraction) ?? "never",
                source.lagSeconds.map(Self.age) ?? "-", "\(source.stored)", "\(source.updated)",
                "\(source.deleted)", "\(source.duplicate)", "\(source.rejected)", "\(source.tooOld)",
                Self.customers(source),
            ])
        }
        return table.text
    }

    private static func customers(_ source: StatusView.Source) -> String {
        guard let customers = source.customers, let unread = source.customersUnread else { return "-" }
        return "\(customers - unread) of \(customers) read"
    }

    private static func withoutFraction(_ time: String) -> String {
        Timestamp(rfc3339: time)?.rfc3339 ?? time
    }

    private var sinkTable: String {
        var table = TextTable([
            "SINK", "STATE", "CIRCUIT", "POSITION", "BACKLOG", "OLDEST PENDING", "WAITING", "DELIVERED",
            "FILTERED", "DEAD",
        ])
        for sink in view.sinks {
            table.add([
                sink.name, Self.state(sink), sink.circuit, "\(sink.position)", "\(sink.backlog)",
                sink.oldestPendingSeconds.map(Self.age) ?? "-",
                "\(sink.waiting)", "\(sink.delivered)", "\(sink.filtered)", "\(sink.dead)",
            ])
        }
        return table.text
    }

    private var storeTable: String {
        var table = TextTable(["STORE", ""])
        let store = view.store
        table.add(["log", store.logID])
        table.add(["head", "\(store.head)"])
        table.add(["oldest kept", store.oldest.map { "\($0)" } ?? "-"])
        table.add(["in quarantine", "\(store.quarantined)"])
        table.add(["size", Self.bytes(store.bytes)])
        table.add(["disk left", store.diskLeftBytes.map(Self.bytes) ?? "-"])
        return table.text
    }

    private static func state(_ sink: StatusView.Sink) -> String {
        sink.reason.map { "\(sink.state): \($0)" } ?? sink.state
    }

    static func age(_ span: Double) -> String {
        let seconds = Int64(max(0, span))
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: return "\(seconds / 3600)h \(seconds / 60 % 60)m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }

    static func bytes(_ count: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
