import EventModel

extension Audit {
    /// One JSON object: what `millrace audit --json` prints.
    package var json: [UInt8] {
        let found = discrepancies
        var writer = JSONWriter()
        writer.object { object in
            object.member("balanced", found.isEmpty)
            object.object("log") { log.write(to: &$0) }
            object.array("sources") { list in
                for source in sources { list.object { source.write(to: &$0) } }
            }
            object.array("sinks") { list in for sink in sinks { list.object { sink.write(to: &$0) } } }
            object.array("closed") { list in for one in closed { list.object { one.write(to: &$0) } } }
            object.array("replays") { list in for one in replays { list.object { one.write(to: &$0) } } }
            object.array("discrepancies") { list in for one in found { list.object { one.write(to: &$0) } } }
        }
        return writer.bytes
    }
}

extension LogAccount {
    fileprivate func write(to object: inout JSONWriter) {
        object.member("head", head)
        object.member("oldest", oldest)
        object.member("removed", removed)
        object.member("events_counted", counted?.events)
        object.member("operational_counted", counted?.operational)
    }
}

extension SourceAccount {
    fileprivate func write(to object: inout JSONWriter) {
        object.member("name", identity.name)
        object.member("account", identity.account)
        object.member("kind", identity.kind.rawValue)
        object.member("rows_read", read)
        object.member("stored", stored)
        object.member("updated", updated)
        object.member("duplicate", duplicate)
        object.member("rejected", rejected)
        object.member("too_old", tooOld)
        object.member("deleted", deleted)
        object.member("recovered", recovered)
        object.member("forgotten", forgotten)
        object.member("events_counted", counted?.events)
        object.member("balanced", discrepancies.isEmpty)
    }
}

extension SinkAccount {
    /// Kafka's word for what arrived (contract, section 8).
    private static let kafka = "kafka"

    fileprivate func write(to object: inout JSONWriter) {
        object.member("name", name)
        object.member("events", events)
        if name == Self.kafka {
            object.member("published", delivered)
        } else {
            object.member("delivered", delivered)
        }
        object.member("filtered", filtered)
        object.member("dead", dead)
        object.member("pending", pending)
        object.member("held", held)
        object.member("expired", expired)
        object.member("balanced", discrepancies.isEmpty)
    }
}

extension Discrepancy {
    fileprivate func write(to object: inout JSONWriter) {
        object.member("account", account)
        object.member("term", term)
        object.member("counted", counted)
        object.member("sum", sum)
        object.member("found", found)
        object.member("difference", difference)
        object.member("text", description)
    }
}
