import EventModel
import Persisting
import Ports
import Services

/// Which event goes next: rows that are due, then new ones, and with ordered keys none before an earlier one of its key.
extension LaneMachine {
    // MARK: - Rows

    mutating func chooseRow(_ moment: Moment) -> Int64? {
        let isFree = { [busyKeys] (key: String) in !busyKeys.contains(key) }
        return circuit.isOpen
            ? rows.takeOldestDue(moment.now, isFree) : rows.takeDue(moment.now, isFree)
    }

    mutating func load(_ lead: Int64, _ moment: Moment) -> Step {
        let row = rows.rows[lead]
        busyKeys.formUnion(row?.keys ?? [])
        let isFrozen = subscription.batch == 1 || !(row?.members.isEmpty ?? true)
        let followers = isFrozen ? [] : rows.takeFollowers(of: lead, limit: subscription.batch - 1)
        let members = row?.members ?? []
        let offsets = members.isEmpty ? [lead] + followers : members
        let isProbe = circuit.isOpen
        if isProbe { circuit.probeBegan(at: moment.elapsed) }
        loading[lead] = Loading(
            offsets: offsets, freezes: isFrozen ? [] : [lead] + followers, isProbe: isProbe)
        return .load(lead: lead, offsets: offsets)
    }

    /// The events of a row were read; those that are missing were cut by retention.
    mutating func loaded(_ lead: Int64, _ events: [StoredEvent], _ moment: Moment) {
        guard let order = loading.removeValue(forKey: lead), let row = rows.rows[lead] else { return }
        guard isFlowing, order.isProbe || !circuit.isOpen else { return unload(lead, order) }
        guard !events.isEmpty else {
            for offset in order.freezes.isEmpty ? [lead] : order.freezes { expire(offset) }
            if order.isProbe { circuit.probeEnded() }
            return release(keys: row.keys, moment)
        }
        let isBatch = subscription.batch > 1 || row.members.count > 1
        let parcel = Parcel(
            events: events, attempt: row.attempts + 1, firstFailed: row.attempts > 0 ? row.firstFailed : nil,
            hasRow: true, isBatch: isBatch || !row.members.isEmpty, isProbe: order.isProbe)
        if events.count == order.offsets.count, order.freezes.isEmpty { return ready.append(parcel) }
        // Another membership than the one that was sent before: a delivery of its own.
        let cut = Set(order.offsets).subtracting(parcel.offsets)
        if !cut.isEmpty { ledger.expired(row: lead, count: cut.count) }
        freeze(parcel.renewed, replacing: order.freezes + [lead], moment)
    }

    mutating func expire(_ offset: Int64) {
        ledger.expired(row: offset, count: rows.rows[offset]?.count ?? 1)
        rows.remove(offset)
    }

    /// The endpoint is not to be tried after all: everything waits as before.
    private mutating func unload(_ lead: Int64, _ order: Loading) {
        let keys = rows.rows[lead]?.keys ?? []
        busyKeys.subtract(keys)
        for offset in Set(order.freezes + [lead]) { rows.putBack(offset) }
        if order.isProbe { circuit.probeEnded() }
        for key in keys { rows.freed(key: key) }
    }

    /// Parcels that were chosen and not begun go back to where they wait.
    mutating func unchoose(_ isMeant: (Parcel) -> Bool = { _ in true }) {
        for parcel in ready.removeAll() {
            guard isMeant(parcel) else {
                ready.append(parcel)
                continue
            }
            rows.putBack(parcel.lead)
            busyKeys.subtract(parcel.keys)
            for key in parcel.keys { rows.freed(key: key) }
            if parcel.isProbe { circuit.probeEnded() }
        }
    }

    // MARK: - Batches

    /// Makes a batch's membership last: it is sent only once it is on disk, and then always in this form.
    mutating func freeze(_ parcel: Parcel, replacing old: [Int64], _ moment: Moment) {
        for offset in Set(old) where offset != parcel.lead {
            rows.remove(offset)
            ledger.release(offset)
        }
        rows.remove(parcel.lead)
        let keys = subscription.isOrdered ? parcel.keys.sorted() : []
        rows.insert(
            parcel.lead,
            WaitingRows.Row(
                attempts: 0, due: moment.now, firstFailed: moment.now, members: parcel.offsets, keys: keys),
            isBusy: true)
        ledger.waits(
            RetryRow(
                offset: parcel.lead, attempts: 0, due: moment.now, firstFailed: moment.now, status: nil,
                reason: "in a batch", members: parcel.offsets))
        freezing.append(parcel)
    }

    /// What `take` handed to the store is on disk.
    mutating func stored() {
        let frozen = storing
        storing = []
        for parcel in frozen { ready.append(parcel) }
        if !isFlowing { unchoose() } else if circuit.isOpen { unchoose { !$0.isProbe } }
    }

    // MARK: - New events

    mutating func chooseFresh(_ moment: Moment) -> [StoredEvent]? {
        guard subscription.isOrdered else {
            guard let first = fresh.popFirst() else { return nil }
            var events = [first]
            while events.count < subscription.batch, let next = fresh.popFirst() { events.append(next) }
            return events
        }
        var events: [StoredEvent] = []
        while events.count < subscription.batch, let next = nextOfFreeKey(moment) {
            events.append(next)
        }
        return events.isEmpty ? nil : events.sorted { $0.offset < $1.offset }
    }

    /// The next event none of whose key is before it; what is not goes to its place on the way.
    private mutating func nextOfFreeKey(_ moment: Moment) -> StoredEvent? {
        while let key = freeKeys.popFirst() {
            if let event = unpark(key, moment) { return event }
        }
        while let event = fresh.popFirst() {
            let key = event.key
            if rows.has(key: key) {
                follow(event, moment)
            } else if busyKeys.contains(key) || parked[key] != nil {
                park(event)
            } else {
                return event
            }
        }
        return nil
    }

    private mutating func unpark(_ key: String, _ moment: Moment) -> StoredEvent? {
        guard var queue = parked.removeValue(forKey: key) else { return nil }
        if rows.has(key: key) {
            for event in queue.removeAll() {
                parkedCount -= 1
                follow(event, moment)
            }
            return nil
        }
        guard !busyKeys.contains(key), let event = queue.popFirst() else {
            parked[key] = queue
            return nil
        }
        parkedCount -= 1
        if !queue.isEmpty {
            parked[key] = queue
            // The next of the key may join it in one batch; otherwise the key is busy when its turn comes.
            freeKeys.append(key)
        }
        return event
    }

    private mutating func park(_ event: StoredEvent) {
        parked[event.key, default: Queue()].append(event)
        parkedCount += 1
    }

    /// An event behind a row of its key becomes a row itself: the position passes it, and it goes when the key is free.
    private mutating func follow(_ event: StoredEvent, _ moment: Moment) {
        rows.insert(
            event.offset,
            WaitingRows.Row(attempts: 0, due: moment.now, firstFailed: moment.now, keys: [event.key]))
        ledger.waits(
            RetryRow(
                offset: event.offset, attempts: 0, due: moment.now, firstFailed: moment.now, status: nil,
                reason: "behind an earlier event of its key"))
    }

    /// A verdict has come: whatever is next of these keys may go.
    mutating func release(keys: some Sequence<String>, _ moment: Moment) {
        guard subscription.isOrdered || !busyKeys.isEmpty else { return }
        for key in keys {
            busyKeys.remove(key)
            rows.freed(key: key)
            guard parked[key] != nil else { continue }
            if rows.has(key: key) { _ = unpark(key, moment) } else { freeKeys.append(key) }
        }
    }
}

extension Parcel {
    /// The same events as a delivery that was never tried.
    var renewed: Parcel {
        Parcel(
            events: events, attempt: 1, firstFailed: nil, hasRow: true, isBatch: true, isProbe: isProbe)
    }
}
