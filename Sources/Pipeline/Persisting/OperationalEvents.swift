package import EventModel
import SQLite
import Signing

/// Writes the relay's own events into the log, inside the transaction of the change they tell of.
///
/// They have offsets like all others and no source: nothing upstream made them.
enum OperationalEvents {
    /// Stores a notice at the head and hands it to the readers once the transaction is on disk.
    static func append(
        _ notice: SubscriptionNotice, now: Timestamp, in scope: inout LogWriter.Scope
    ) throws(DatabaseError) {
        try append(
            notice.kind.rawValue, relay: notice.relay, subject: "subscription/\(notice.id)",
            data: data(notice), now: now, in: &scope)
    }

    /// … and one of events that were cut before every sink had settled them.
    static func append(
        _ cut: RetentionCut, relay: String, logID: String, now: Timestamp, in scope: inout LogWriter.Scope
    ) throws(DatabaseError) {
        try append(
            "millrace.log.expired", relay: relay, subject: "log/\(logID)", data: data(cut), now: now,
            in: &scope)
    }

    private static func append(
        _ type: String, relay: String, subject: String, data: [UInt8], now: Timestamp,
        in scope: inout LogWriter.Scope
    ) throws(DatabaseError) {
        let recorded = max(now, scope.head.recorded)
        let offset = scope.head.nextOffset
        // The offset makes it unique within the log: the same thing may happen twice in one millisecond.
        let content = "operations\n\n\(subject)\n\(type)\n\(offset)\n1"
        let id = EventID(time: recorded, digest: Digest.sha256(Array(content.utf8)))
        var body = OperationalEnvelope.encoded(
            id: id.text, type: type, relay: relay, subject: subject, time: recorded, data: data)
        EventSlots.fill(
            &body, offset: offset, recordedTime: Array(recorded.rfc3339Milliseconds.utf8))
        try scope.connection.run(
            """
            INSERT INTO events (offset, id, source, type, key, recorded, body) VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6)
            """,
            .integer(offset), .blob(id.bytes), .text(type), .text(subject),
            .integer(recorded.milliseconds), .blob(body))
        scope.head.nextOffset += 1
        scope.head.recorded = recorded
        try scope.connection.run(
            "UPDATE head SET next_offset = ?1, recorded = ?2", .integer(scope.head.nextOffset),
            .integer(recorded.milliseconds))
        scope.events.append(
            StoredEvent(
                offset: offset, id: id, type: type, account: nil, kind: nil, key: subject,
                recorded: recorded, body: body))
    }

    private static func data(_ cut: RetentionCut) -> [UInt8] {
        var data = JSONWriter(reserving: 256)
        data.object { data in
            data.member("from", cut.from)
            data.member("until", cut.until)
            data.array("sinks") { array in
                for sink in cut.sinks {
                    array.object { object in
                        object.member("name", sink.name)
                        object.member("events", sink.events)
                    }
                }
            }
        }
        return data.bytes
    }

    private static func data(_ notice: SubscriptionNotice) -> [UInt8] {
        var data = JSONWriter(reserving: 256)
        data.object { data in
            data.object("subscription") { subscription in
                subscription.member("id", notice.id)
                subscription.member("name", notice.name)
                subscription.member("url", notice.url)
            }
            data.member("reason", notice.reason)
            data.member("since", notice.since.rfc3339)
        }
        return data.bytes
    }
}

/// The envelope of an event that the relay makes by itself, with the slots of `EventSlots` still empty.
package enum OperationalEnvelope {
    package static func encoded(
        id: String, type: String, relay: String, subject: String, time: Timestamp, data: [UInt8]
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: data.count + 512)
        writer.object { event in
            event.member("id", id)
            event.member("sequence", EventSlots.emptySequence)
            event.member("recordedtime", EventSlots.emptyRecordedTime)
            event.member("specversion", "1.0")
            event.member("source", "/\(relay)/millrace")
            event.member("type", type)
            event.member("subject", subject)
            event.member("time", time.rfc3339)
            event.member("datacontenttype", "application/json")
            event.member("dataschema", "urn:millrace:\(type):1")
            event.member("partitionkey", subject)
            event.member("revision", 1)
            event.key("data")
            event.raw(data)
        }
        return writer.bytes
    }
}
