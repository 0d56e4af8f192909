import EventModel

/// The accounts that are kept apart from those of sources and sinks (contract, section 8): subscriptions that were reset or
/// deleted, and replays.
extension ClosedAccount {
    var discrepancies: [Discrepancy] {
        [
            Discrepancy(
                "closed \(name)", "events", events, is: "delivered + filtered + dead + open + expired",
                delivered + filtered + dead + open + expired)
        ].compactMap { $0 }
    }

    func write(to object: inout JSONWriter) {
        object.member("name", name)
        object.member("subscription", subscription)
        object.member("cause", cause)
        object.member("closed", closed.rfc3339Milliseconds)
        object.member("events", events)
        object.member("delivered", delivered)
        object.member("filtered", filtered)
        object.member("dead", dead)
        object.member("open", open)
        object.member("expired", expired)
        object.member("balanced", discrepancies.isEmpty)
    }
}

extension ReplayRecord {
    var discrepancies: [Discrepancy] {
        [
            Discrepancy(
                "replay \(id)", "events", events, is: "delivered + filtered + dead + expired + pending",
                delivered + filtered + dead + expired + pending)
        ].compactMap { $0 }
    }

    func write(to object: inout JSONWriter) {
        object.member("id", id)
        object.member("to", target)
        object.member("state", state.rawValue)
        object.member("events", events)
        object.member("delivered", delivered)
        object.member("filtered", filtered)
        object.member("dead", dead)
        object.member("expired", expired)
        object.member("pending", pending)
        object.member("balanced", discrepancies.isEmpty)
    }
}
