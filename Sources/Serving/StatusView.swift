package import EventModel
package import Persisting

/// Sources, sinks and store at a glance: what `GET /v1/status` serves and `millrace status` prints.
package struct StatusView: Sendable, Decodable {
    package struct Source: Sendable, Decodable {
        package let name, account, kind: String
        package let lastSuccess, watermark: String?
        /// Since the instant up to which the source is known: its watermark, or its oldest reading of a customer.
        package let lagSeconds: Double?
        package let rows, stored, updated, duplicate, rejected, tooOld, deleted, recovered: Int
        /// Of a source that is read customer by customer.
        package let customers, customersUnread: Int?
        package let oldestReading: String?

        private enum CodingKeys: String, CodingKey {
            case name, account, kind, watermark, rows, stored, updated, duplicate, rejected, deleted,
                recovered, customers
            case lastSuccess = "last_success"
            case lagSeconds = "lag_seconds"
            case tooOld = "too_old"
            case customersUnread = "customers_unread"
            case oldestReading = "oldest_reading"
        }
    }

    package struct Sink: Sendable, Decodable {
        package let name: String
        /// Of a subscription: Kafka has none.
        package let id: String?
        package let state: String
        /// Why it is not active.
        package let reason: String?
        package let circuit: String
        package let position, backlog, waiting, delivered, filtered, dead: Int64
        /// The account: `events` is the sum of delivered, filtered, dead, pending, held and expired (promise L6).
        package let events, pending, held, expired: Int64
        package let balanced: Bool
        package let oldestPendingSeconds: Double?

        private enum CodingKeys: String, CodingKey {
            case name, id, state, reason, circuit, position, backlog, waiting, delivered, filtered, dead,
                events, pending, held, expired, balanced
            case oldestPendingSeconds = "oldest_pending_seconds"
        }
    }

    package struct Store: Sendable, Decodable {
        package let logID: String
        package let head: Int64
        package let oldest: Int64?
        package let quarantined, bytes: Int64
        package let diskLeftBytes: Int64?

        private enum CodingKeys: String, CodingKey {
            case head, oldest, quarantined, bytes
            case logID = "log_id"
            case diskLeftBytes = "disk_left_bytes"
        }
    }

    package let sources: [Source]
    package let sinks: [Sink]
    package let store: Store

    package init(_ summary: LogSummary, sources: [SourceRecord], sinks: [SinkRecord], now: Timestamp) {
        self.sources = sources.map { Source($0, now: now) }
        self.sinks = sinks.map { Sink($0, now: now) }
        store = Store(summary)
    }

    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { object in
            object.array("sources") { array in
                for source in sources { array.object { source.write(&$0) } }
            }
            object.array("sinks") { array in
                for sink in sinks { array.object { sink.write(&$0) } }
            }
            object.object("store") { store.write(&$0) }
        }
        return writer.bytes
    }
}

extension StatusView.Source {
    init(_ record: SourceRecord, now: Timestamp) {
        (name, account, kind) = (record.identity.name, record.identity.account, record.identity.kind.rawValue)
        lastSuccess = record.succeeded?.rfc3339Milliseconds
        watermark = record.position?.watermark?.rfc3339
        lagSeconds = record.reached.map { (now - $0).inSeconds }
        let totals = record.totals
        (rows, stored, updated) = (totals.read, totals.stored, totals.updated)
        (duplicate, rejected, tooOld) = (totals.duplicate, totals.rejected, totals.tooOld)
        (deleted, recovered) = (record.deleted, record.recovered)
        (customers, customersUnread) = (record.schedule?.customers, record.schedule?.unread)
        oldestReading = record.schedule?.oldestReading?.rfc3339Milliseconds
    }

    func write(_ object: inout JSONWriter) {
        object.member("name", name)
        object.member("account", account)
        object.member("kind", kind)
        object.member("last_success", lastSuccess)
        object.member("watermark", watermark)
        object.member("lag_seconds", lagSeconds)
        object.member("rows", Int64(rows))
        object.member("stored", Int64(stored))
        object.member("updated", Int64(updated))
        object.member("duplicate", Int64(duplicate))
        object.member("rejected", Int64(rejected))
        object.member("too_old", Int64(tooOld))
        object.member("deleted", Int64(deleted))
        object.member("recovered", Int64(recovered))
        guard let customers, let customersUnread else { return }
        object.member("customers", Int64(customers))
        object.member("customers_unread", Int64(customersUnread))
        object.member("oldest_reading", oldestReading)
    }
}

extension StatusView.Sink {
    init(_ record: SinkRecord, now: Timestamp) {
        (name, id) = (record.name, record.subscription?.id)
        let health = record.subscription?.health
        (state, reason) = (health?.state.rawValue ?? "active", health?.reason)
        circuit = record.subscription.map { $0.health.isCircuitOpen ? "open" : "closed" } ?? "-"
        (position, backlog, waiting) = (record.progress.position, record.open, record.waiting)
        (delivered, filtered, dead) = (record.delivered, record.filtered, record.dead)
        (events, pending, held, expired) = (record.events, record.pending, record.held, record.expired)
        balanced = record.isBalanced
        oldestPendingSeconds = record.oldestPending.map { (now - $0).inSeconds }
    }

    func write(_ object: inout JSONWriter) {
        object.member("name", name)
        object.member("id", id)
        object.member("state", state)
        object.member("reason", reason)
        object.member("circuit", circuit)
        object.member("position", position)
        object.member("backlog", backlog)
        object.member("waiting", waiting)
        object.member("oldest_pending_seconds", oldestPendingSeconds)
        object.member("delivered", delivered)
        object.member("filtered", filtered)
        object.member("dead", dead)
        object.member("events", events)
        object.member("pending", pending)
        object.member("held", held)
        object.member("expired", expired)
        object.member("balanced", balanced)
    }
}

extension StatusView.Store {
    init(_ summary: LogSummary) {
        (logID, head, oldest) = (summary.logID, summary.head, summary.oldest)
        (quarantined, bytes, diskLeftBytes) = (summary.quarantined, summary.fileBytes, summary.freeBytes)
    }

    func write(_ object: inout JSONWriter) {
        object.member("log_id", logID)
        object.member("head", head)
        object.member("oldest", oldest)
        object.member("quarantined", quarantined)
        object.member("bytes", bytes)
        object.member("disk_left_bytes", diskLeftBytes)
    }
}

extension SourceRecord {
    /// Up to when the source is known: its watermark, or the oldest of its customers' latest readings.
    package var reached: Timestamp? {
        position?.watermark ?? schedule?.oldestReading
    }
}

extension JSONWriter {
    /// A number of seconds; three digits of fraction.
    mutating func member(_ name: StaticString, _ seconds: Double?) {
        key(name)
        guard let seconds else { return null() }
        raw(Array("\((seconds * 1000).rounded() / 1000)".utf8))
    }
}
