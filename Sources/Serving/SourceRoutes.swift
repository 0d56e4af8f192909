import EventModel
import InboundHTTP
import Persisting
import Ports

/// What is polled, and what may be asked of it.
struct SourceRoutes: Sendable {
    let log: EventLog
    let readers: ReaderPool
    let sources: @Sendable () -> [any SourceControl]
    let timekeeper: any Timekeeper

    var routes: [Route] {
        [
            Route(
                method: "GET", path: "/v1/sources", scope: .read, query: ["cursor", "limit"], handle: list),
            Route(method: "POST", path: "/v1/sources/{name}/poll", scope: .admin, handle: poll),
            Route(method: "POST", path: "/v1/sources/{name}/backfill", scope: .admin) {
                call throws(Problem) in
                try await read(.backfill, call)
            },
            Route(method: "POST", path: "/v1/sources/{name}/reconcile", scope: .admin) {
                call throws(Problem) in
                try await read(.reconcile, call)
            },
            Route(
                method: "GET", path: "/v1/sources/{name}/jobs", scope: .read, query: ["cursor", "limit"],
                handle: jobs),
            Route(
                method: "GET", path: "/v1/quarantine", scope: .read, query: ["source", "cursor", "limit"],
                handle: quarantine),
            Route(method: "POST", path: "/v1/quarantine/retry", scope: .admin, handle: retry),
        ]
    }

    // MARK: - Sources

    @Sendable private func list(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let records = try await stored { () async throws(LogError) in try await readers.next().sources() }
        let running = Set(sources().map(\.name))
        let now = timekeeper.now
        let items = records.enumerated().map { (number: Int64($0.offset + 1), record: $0.element) }
            .filter { $0.number > page.cursor ?? 0 }
        return page.reply(items, number: \.number) { item, object in
            StatusView.Source(item.record, now: now).write(&object)
            object.member("polled", running.contains(item.record.identity.name))
        }
    }

    // MARK: - Jobs

    @Sendable private func poll(_ call: Call) async throws(Problem) -> Reply {
        _ = try Body(call.request, known: [])
        return try await submit(.poll, nil, call)
    }

    private func read(_ kind: SourceJob.Kind, _ call: Call) async throws(Problem) -> Reply {
        let source = try source(call)
        let body = try Body(call.request, known: ["from", "until"])
        let window = Window(
            from: try body.time("from").flooredToSecond, to: try body.time("until").flooredToSecond)
        guard window.from < window.to else { throw .conflict("until: is not after from.", field: "until") }
        guard window.to <= timekeeper.now else { throw .conflict("until: is in the future.", field: "until") }
        guard !source.kind.isPerCustomer else {
            throw .conflict("This source is read customer by customer, whole each time: it has no windows.")
        }
        return try await submit(kind, window, call)
    }

    private func submit(_ kind: SourceJob.Kind, _ window: Window?, _ call: Call) async throws(Problem)
        -> Reply
    {
        let source = try source(call)
        let note = ChangeNote(who: call.caller.name, what: "source.\(kind.rawValue)", subject: source.name)
        let job: SourceJob
        do throws(JobRefusal) {
            job = try source.submit(kind, window)
        } catch {
            throw .conflict(
                error == .full ? "Too many jobs of this source wait." : "This source has no windows.")
        }
        try await stored { () async throws(LogError) in try await log.record(note) }
        return .object(status: 202) { Self.write(job, of: source.name, &$0) }
    }

    private func source(_ call: Call) throws(Problem) -> any SourceControl {
        guard let source = sources().first(where: { $0.name == call.path["name"] }) else {
            throw .notFound("There is no source of this name.")
        }
        return source
    }

    @Sendable private func jobs(_ call: Call) async throws(Problem) -> Reply {
        let source = try source(call)
        let page = try ListPage(call.query)
        let jobs = source.jobs.filter { $0.id < page.cursor ?? .max }
        return page.reply(jobs, number: \.id) { job, object in Self.write(job, of: source.name, &object) }
    }

    private static func write(_ job: SourceJob, of source: String, _ object: inout JSONWriter) {
        object.member("id", job.id)
        object.member("source", source)
        object.member("kind", job.kind.rawValue)
        object.member("state", job.state.rawValue)
        object.member("from", job.window?.from.rfc3339)
        object.member("until", job.window?.to.rfc3339)
        object.member("created_at", job.created.rfc3339Milliseconds)
        object.member("started_at", job.started?.rfc3339Milliseconds)
        object.member("finished_at", job.finished?.rfc3339Milliseconds)
        object.member("percent", Int64(job.progress * 100))
        object.object("rows") { rows in
            rows.member("read", Int64(job.read))
            rows.member("stored", Int64(job.stored))
            rows.member("updated", Int64(job.updated))
            rows.member("duplicate", Int64(job.duplicate))
            rows.member("rejected", Int64(job.rejected))
            rows.member("too_old", Int64(job.tooOld))
        }
        // What the log lacked: the offsets it has now.
        object.array("offsets") { array in
            for range in job.offsets {
                array.array { pair in
                    pair.integer(range.lowerBound)
                    pair.integer(range.upperBound)
                }
            }
        }
        object.member("failure", job.failure)
    }

    // MARK: - Quarantine

    @Sendable private func quarantine(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let rows = try await stored { () async throws(LogError) in
            try await readers.next().quarantine(
                of: call.query.text("source"), after: page.cursor ?? 0, limit: page.limit + 1)
        }
        return page.reply(rows, number: \.id) { row, object in
            object.member("id", row.id)
            object.member("source", row.source.name)
            object.member("account", row.source.account)
            object.member("kind", row.source.kind.rawValue)
            object.member("recorded_at", row.recorded.rfc3339Milliseconds)
            object.member("reason", row.reason)
            // A row may be no UTF-8 and no JSON: that is why it is here.
            object.member("row", String(decoding: row.row, as: UTF8.self))
        }
    }

    private static let retried = 10_000

    @Sendable private func retry(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(call.request, known: ["ids", "source"])
        let ids = try body.integers("ids", atMost: 1000).map(Set.init)
        let name = try body.text("source")
        if let name, !sources().contains(where: { $0.name == name }) {
            throw .notFound("source: there is no source of this name.", field: "source")
        }
        let rows = try await stored { () async throws(LogError) in
            try await readers.next().quarantine(of: name, after: 0, limit: Self.retried)
        }
        let chosen = rows.filter { ids?.contains($0.id) ?? true }
        let known = Set(chosen.map(\.id))
        if let missing = ids?.subtracting(known).min() {
            throw .notFound("ids: there is no row \(missing) in quarantine.", field: "ids")
        }
        var total = RecoveryResult()
        for (identity, rows) in Dictionary(grouping: chosen, by: \.source) {
            let note = ChangeNote(who: call.caller.name, what: "quarantine.retried", subject: identity.name)
            total += try await recover(rows, of: identity, note)
        }
        return .object { object in
            object.member("recovered", Int64(total.recovered))
            object.member("known", Int64(total.known))
            object.member("rejected", Int64(total.rejected))
        }
    }

    /// Rows of a source that is not polled any more cannot be read and stay.
    private func recover(
        _ rows: [QuarantinedRow], of identity: SourceIdentity, _ note: ChangeNote
    ) async throws(Problem) -> RecoveryResult {
        let source = sources().first { $0.account == identity.account && $0.kind == identity.kind }
        guard let source else { return RecoveryResult(rejected: rows.count) }
        let read = source.normalize(rows.map(\.row))
        return try await stored { () async throws(LogError) in
            try await log.recover(zip(rows, read).map { ($0.id, $1) }, from: identity, note)
        }
    }
}
