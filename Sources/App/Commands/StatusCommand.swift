import EventModel
import Foundation
import Persisting

/// `millrace status`: sources, sinks and store at a glance.
struct StatusCommand: Command {
    let name = "status"
    let summary = "sources, sinks and store at a glance, also beside a running relay"
    let options = [
        Option.config,
        Option(name: "store", value: "FILE", help: "reads this store instead of the configuration's"),
        Option(name: "json", help: "one JSON object instead of tables"),
    ]
    let examples = [
        Example("millrace status", "how far sources and sinks are, and what waits"),
        Example("millrace status --json | jq '.sinks[].backlog'", "the same for programs"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let path = try ConfigurationFile.storePath(arguments)
        let report: StatusReport
        do throws(LogError) {
            let reader = try LogReader(path: path)
            report = StatusReport(
                summary: try await reader.summary(), sources: try await reader.sources(),
                sinks: try await reader.sinks(), now: SystemTimekeeper().now)
        } catch {
            throw CommandError(error)
        }
        Output.line(arguments.has("json") ? report.json : report.text)
        return 0
    }
}

/// What `status` shows, in both forms. Pure.
struct StatusReport {
    let summary: LogSummary
    let sources: [SourceRecord]
    let sinks: [SinkRecord]
    let now: Timestamp

    var text: String {
        [sourceTable, sinkTable, storeTable].joined(separator: "\n\n")
    }

    var json: String {
        let object: [String: Any] = [
            "sources": sources.map(sourceObject), "sinks": sinks.map(sinkObject), "store": storeObject,
        ]
        do {
            let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
            return String(
                decoding: try JSONSerialization.data(withJSONObject: object, options: options), as: UTF8.self)
        } catch {
            preconditionFailure("a report of texts and numbers can always be written")
        }
    }

    private var sourceTable: String {
        var table = TextTable([
            "SOURCE", "KIND", "LAST SUCCESS", "LAG", "STORED", "UPDATED", "DELETED", "DUPLICATES", "REJECTED",
            "TOO OLD", "CUSTOMERS",
        ])
        for source in sources {
            table.add([
                source.identity.name, source.identity.kind.rawValue, source.succeeded?.rfc3339 ?? "never",
                reached(source).map { Self.age(now - $0) } ?? "-", "\(source.totals.stored)",
                "\(source.totals.updated)", "\(source.deleted)", "\(source.totals.duplicate)",
                "\(source.totals.rejected)", "\(source.totals.tooOld)",
                source.schedule.map { "\($0.customers - $0.unread) of \($0.customers) read" } ?? "-",
            ])
        }
        return table.text
    }

    private var sinkTable: String {
        var table = TextTable([
            "SINK", "STATE", "CIRCUIT", "POSITION", "BACKLOG", "OLDEST PENDING", "WAITING", "DELIVERED",
            "FILTERED", "DEAD",
        ])
        for sink in sinks {
            table.add([
                sink.name, Self.state(sink), Self.circuit(sink), "\(sink.progress.position)", "\(sink.open)",
                sink.oldestPending.map { Self.age(now - $0) } ?? "-", "\(sink.waiting)", "\(sink.delivered)",
                "\(sink.filtered)", "\(sink.dead)",
            ])
        }
        return table.text
    }

    private var storeTable: String {
        var table = TextTable(["STORE", ""])
        table.add(["log", summary.logID])
        table.add(["head", "\(summary.head)"])
        table.add(["oldest kept", summary.oldest.map { "\($0)" } ?? "-"])
        table.add(["in quarantine", "\(summary.quarantined)"])
        table.add(["size", Self.bytes(summary.fileBytes)])
        table.add(["disk left", summary.freeBytes.map(Self.bytes) ?? "-"])
        return table.text
    }

    private static func state(_ sink: SinkRecord) -> String {
        guard let health = sink.subscription?.health else { return "active" }
        return health.reason.map { "\(health.state.rawValue): \($0)" } ?? health.state.rawValue
    }

    private static func circuit(_ sink: SinkRecord) -> String {
        sink.subscription.map { $0.health.isCircuitOpen ? "open" : "closed" } ?? "-"
    }

    /// Up to when the source is known: its watermark, or the oldest of its customers' latest readings.
    private func reached(_ source: SourceRecord) -> Timestamp? {
        source.position?.watermark ?? source.schedule?.oldestReading
    }

    private func sourceObject(_ source: SourceRecord) -> [String: Any] {
        var object: [String: Any] = [
            "name": source.identity.name, "account": source.identity.account,
            "kind": source.identity.kind.rawValue,
            "last_success": source.succeeded?.rfc3339Milliseconds as Any? ?? NSNull(),
            "watermark": source.position?.watermark?.rfc3339 as Any? ?? NSNull(),
            "lag_seconds": reached(source).map { (now - $0).inSeconds } as Any? ?? NSNull(),
            "rows": source.totals.read, "stored": source.totals.stored, "updated": source.totals.updated,
            "duplicate": source.totals.duplicate, "rejected": source.totals.rejected,
            "too_old": source.totals.tooOld, "deleted": source.deleted,
        ]
        if let schedule = source.schedule {
            object["customers"] = schedule.customers
            object["customers_unread"] = schedule.unread
            object["oldest_reading"] = schedule.oldestReading?.rfc3339Milliseconds as Any? ?? NSNull()
        }
        return object
    }

    private func sinkObject(_ sink: SinkRecord) -> [String: Any] {
        [
            "name": sink.name, "id": sink.subscription?.id as Any? ?? NSNull(),
            "state": sink.subscription?.health.state.rawValue ?? "active",
            "reason": sink.subscription?.health.reason as Any? ?? NSNull(),
            "circuit": Self.circuit(sink), "events": sink.events, "pending": sink.pending,
            "held": sink.held, "expired": sink.expired, "balanced": sink.isBalanced,
            "position": sink.progress.position, "backlog": sink.open,
            "waiting": sink.waiting,
            "oldest_pending_seconds": sink.oldestPending.map { (now - $0).inSeconds } as Any? ?? NSNull(),
            "delivered": sink.delivered, "filtered": sink.filtered, "dead": sink.dead,
        ]
    }

    private var storeObject: [String: Any] {
        [
            "log_id": summary.logID, "head": summary.head, "oldest": summary.oldest as Any? ?? NSNull(),
            "quarantined": summary.quarantined, "bytes": summary.fileBytes,
            "disk_left_bytes": summary.freeBytes as Any? ?? NSNull(),
        ]
    }

    static func age(_ duration: Duration) -> String {
        let seconds = Int64(max(0, duration.inSeconds))
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
