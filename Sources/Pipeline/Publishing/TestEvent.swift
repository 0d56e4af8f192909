import EventModel
import Persisting
import Ports

/// `millrace.test`: sent on request, never stored, sequence 0.
enum TestEvent {
    static let type = "millrace.test"

    static func make(
        _ record: SubscriptionRecord, relay: String, now: Timestamp, random: [UInt8]
    ) -> StoredEvent {
        let id = EventID(time: now, digest: random)
        let subject = "subscription/\(record.id)"
        var data = JSONWriter(reserving: 128)
        data.object { data in
            data.object("subscription") { subscription in
                subscription.member("id", record.id)
                subscription.member("name", record.name)
                subscription.member("url", record.url)
            }
        }
        var body = OperationalEnvelope.encoded(
            id: id.text, type: type, relay: relay, subject: subject, time: now, data: data.bytes)
        EventSlots.fill(&body, offset: 0, recordedTime: Array(now.rfc3339Milliseconds.utf8))
        return StoredEvent(
            offset: 0, id: id, type: type, account: nil, kind: nil, key: subject, recorded: now, body: body)
    }
}
