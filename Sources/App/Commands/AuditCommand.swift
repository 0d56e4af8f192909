import Persisting

/// `millrace audit`: the account that must balance.
struct AuditCommand: Command {
    let name = "audit"
    let summary = "whether every row and every event is accounted for, also beside a running relay"
    let options = [
        Option.config,
        Option(name: "store", value: "FILE", help: "audits this store instead of the configuration's"),
        Option(name: "quick", help: "compares the counts alone, without counting what the store holds"),
        Option(name: "json", help: "one JSON object instead of tables"),
    ]
    let examples = [
        Example("millrace audit", "exit 0: everything balances; exit 1: what does not, and by how much"),
        Example("millrace audit --json | jq '.discrepancies'", "the same for programs"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let path = try ConfigurationFile.storePath(arguments)
        let audit: Audit
        do throws(LogError) {
            audit = try await LogReader(path: path).audit(thorough: !arguments.has("quick"))
        } catch {
            throw CommandError(error)
        }
        Output.line(
            arguments.has("json") ? String(decoding: audit.json, as: UTF8.self) : AuditReport(audit).text)
        return audit.balances ? 0 : 1
    }
}

/// An audit for people. Pure.
struct AuditReport {
    private let audit: Audit

    init(_ audit: Audit) {
        self.audit = audit
    }

    var text: String {
        let parts = [
            sources, sinks, audit.closed.isEmpty ? nil : closed, audit.replays.isEmpty ? nil : replays,
        ]
        return (parts.compactMap { $0 } + [log, verdict]).joined(separator: "\n\n")
    }

    private var sources: String {
        var table = TextTable([
            "SOURCE", "ROWS READ", "STORED", "UPDATED", "DUPLICATES", "REJECTED", "TOO OLD", "DELETED",
            "RECOVERED", "",
        ])
        for source in audit.sources {
            table.add(
                [source.identity.name]
                    + [
                        source.read, source.stored, source.updated, source.duplicate, source.rejected,
                        source.tooOld, source.deleted, source.recovered,
                    ].map { "\($0)" } + [mark("source \(source.identity.name)")])
        }
        return table.text
    }

    private var sinks: String {
        var table = TextTable([
            "SINK", "EVENTS", "DELIVERED", "FILTERED", "DEAD", "PENDING", "HELD", "EXPIRED", "",
        ])
        for sink in audit.sinks {
            table.add(
                [sink.name]
                    + [
                        sink.events, sink.delivered, sink.filtered, sink.dead, sink.pending, sink.held,
                        sink.expired,
                    ].map { "\($0)" } + [mark("sink \(sink.name)")])
        }
        return table.text
    }

    private var closed: String {
        var table = TextTable([
            "CLOSED", "CAUSE", "EVENTS", "DELIVERED", "FILTERED", "DEAD", "OPEN", "EXPIRED", "",
        ])
        for one in audit.closed {
            table.add(
                [one.name, one.cause]
                    + [one.events, one.delivered, one.filtered, one.dead, one.open, one.expired].map {
                        "\($0)"
                    }
                    + [mark("closed \(one.name)")])
        }
        return table.text
    }

    private var replays: String {
        var table = TextTable([
            "REPLAY", "STATE", "EVENTS", "DELIVERED", "FILTERED", "DEAD", "EXPIRED", "PENDING", "",
        ])
        for one in audit.replays {
            table.add(
                [one.id, one.state.rawValue]
                    + [one.events, one.delivered, one.filtered, one.dead, one.expired, one.pending].map {
                        "\($0)"
                    }
                    + [mark("replay \(one.id)")])
        }
        return table.text
    }

    private var log: String {
        var table = TextTable(["LOG", "HEAD", "OLDEST KEPT", "REMOVED", "COUNTED", ""])
        let counted = audit.log.counted.map { "\($0.events)" } ?? "-"
        table.add([
            "events", "\(audit.log.head)", "\(audit.log.oldest)", "\(audit.log.removed)", counted,
            mark("log"),
        ])
        return table.text
    }

    private var verdict: String {
        audit.balances
            ? "everything balances" : audit.discrepancies.map(\.description).joined(separator: "\n")
    }

    private func mark(_ account: String) -> String {
        audit.discrepancies.contains { $0.account == account } ? "does not balance" : "ok"
    }
}
