import EventModel
import Persisting
import Ports
import Services

/// What an attempt's result means for its events, for the endpoint, and for the subscription.
extension LaneMachine {
    /// - Parameter draw: between 0 and 1, for jitter.
    mutating func attempted(
        _ lead: Int64, _ result: AttemptResult, draw: Double, _ moment: Moment
    ) -> [Step] {
        guard !isRetired, let flight = flights.removeValue(forKey: lead) else { return [] }
        let parcel = flight.parcel
        if parcel.isProbe { circuit.probeEnded() }
        guard result.verdict != .abandoned else {
            // As if it had not been tried: its row waits, or the log is read again from its offset at the next start.
            isStopping = true
            if parcel.hasRow { rows.putBack(lead) }
            release(keys: parcel.keys, moment)
            return []
        }
        ledger.attempted(record(flight, result, moment))
        if let wait = result.retryAfter {
            health.holdUntil = max(health.holdUntil ?? moment.now, moment.now + wait)
            ledger.stands(health)
        }
        var steps: [Step] = []
        if result.verdict == .accepted {
            accepted(parcel, moment)
        } else {
            steps = failed(flight, result, draw, moment)
        }
        if subscription.isOrdered { release(keys: parcel.keys, moment) }
        return steps
    }

    private func record(_ flight: Flight, _ result: AttemptResult, _ moment: Moment) -> AttemptRecord {
        AttemptRecord(
            offset: flight.parcel.lead, webhookID: flight.id, time: flight.began.now,
            attempt: flight.parcel.attempt, status: result.status,
            duration: moment.elapsed - flight.began.elapsed, failure: result.failure?.rawValue,
            reason: result.verdict == .accepted ? nil : result.reason, answer: result.answer)
    }

    // MARK: - Success

    private mutating func accepted(_ parcel: Parcel, _ moment: Moment) {
        if parcel.hasRow {
            ledger.delivered(row: parcel.lead, count: parcel.events.count)
            rows.remove(parcel.lead)
        } else {
            ledger.delivered(parcel.lead, wasWaiting: false)
        }
        throttle.succeeded()
        let wasFailing = health.failingSince != nil
        health.failingSince = nil
        if circuit.succeeded() {
            health.isCircuitOpen = false
            rows.makeAllDue(moment.now)
            ledger.makeAllDue(moment.now)
        }
        if wasFailing { ledger.stands(health) }
    }

    // MARK: - Failure

    private mutating func failed(
        _ flight: Flight, _ result: AttemptResult, _ draw: Double, _ moment: Moment
    ) -> [Step] {
        let parcel = flight.parcel
        switch result.verdict {
        case .tooLarge where parcel.events.count > 1:
            split(parcel, moment)
            return []
        case .refused, .tooLarge:
            return [bury(parcel, result, moment)]
        case .gone:
            wait(parcel, result, due: moment.now, moment)
            return [disable("the endpoint answered 410 Gone", moment)]
        case .overloaded:
            throttle.overloaded(inRound: flight.round)
        case .failed, .accepted, .abandoned:
            break
        }
        var steps = [again(parcel, result, draw, moment)]
        steps += endpointFailed(result, moment)
        return steps
    }

    private mutating func again(
        _ parcel: Parcel, _ result: AttemptResult, _ draw: Double, _ moment: Moment
    ) -> Step {
        let since = moment.now - (parcel.firstFailed ?? moment.now)
        guard
            let wait = subscription.retry.wait(afterAttempts: parcel.attempt, since: since, draw: draw)
        else { return bury(parcel, result, moment) }
        let due = moment.now + max(wait, result.retryAfter ?? .zero)
        self.wait(parcel, result, due: due, moment)
        return .say(
            .willTryAgain(
                event: parcel.id, attempt: parcel.attempt, reason: result.reason, delay: due - moment.now))
    }

    private mutating func wait(
        _ parcel: Parcel, _ result: AttemptResult, due: Timestamp, _ moment: Moment
    ) {
        let firstFailed = parcel.firstFailed ?? moment.now
        let members = parcel.isBatch ? parcel.offsets : []
        rows.insert(
            parcel.lead,
            WaitingRows.Row(
                attempts: parcel.attempt, due: due, firstFailed: firstFailed, members: members,
                keys: subscription.isOrdered ? parcel.keys.sorted() : []))
        ledger.waits(
            RetryRow(
                offset: parcel.lead, attempts: parcel.attempt, due: due, firstFailed: firstFailed,
                status: result.status, reason: result.reason, members: members))
    }

    private mutating func bury(_ parcel: Parcel, _ result: AttemptResult, _ moment: Moment) -> Step {
        let id = parcel.id
        for event in parcel.events {
            ledger.died(
                DeadLetter(
                    offset: event.offset, attempts: parcel.attempt, died: moment.now, status: result.status,
                    reason: result.reason, webhookID: id, answer: result.answer), wasWaiting: false)
        }
        if parcel.hasRow {
            ledger.release(parcel.lead)
            rows.remove(parcel.lead)
        }
        return .say(
            .gaveUp(
                event: id, events: parcel.events.count, attempt: parcel.attempt, reason: result.reason))
    }

    /// Two halves, each a delivery of its own that was never tried.
    private mutating func split(_ parcel: Parcel, _ moment: Moment) {
        rows.remove(parcel.lead)
        ledger.release(parcel.lead)
        let middle = parcel.events.count / 2
        for half in [parcel.events[..<middle], parcel.events[middle...]] {
            let part = Parcel(
                events: Array(half), attempt: 1, firstFailed: nil, hasRow: true, isBatch: true,
                isProbe: false)
            if subscription.isOrdered {
                insertWaiting(part, moment)
            } else {
                freeze(part, replacing: [], moment)
            }
        }
    }

    /// With ordered keys the second half must not overtake the first: both wait in rows, and their keys let them go.
    private mutating func insertWaiting(_ part: Parcel, _ moment: Moment) {
        rows.insert(
            part.lead,
            WaitingRows.Row(
                attempts: 0, due: moment.now, firstFailed: moment.now, members: part.offsets,
                keys: part.keys.sorted()))
        ledger.waits(
            RetryRow(
                offset: part.lead, attempts: 0, due: moment.now, firstFailed: moment.now, status: 413,
                reason: "half of a batch that was too large", members: part.offsets))
    }

    // MARK: - The endpoint

    private mutating func endpointFailed(_ result: AttemptResult, _ moment: Moment) -> [Step] {
        let since = health.failingSince ?? moment.now
        if health.failingSince == nil {
            health.failingSince = since
            ledger.stands(health)
        }
        if health.state == .active, moment.now - since >= subscription.disableAfter {
            return [disable("nothing but failures since \(since.rfc3339): \(result.reason)", moment)]
        }
        guard circuit.failed(at: moment.elapsed) else { return [] }
        unchoose { !$0.isProbe }
        health.isCircuitOpen = true
        ledger.stands(health, telling: notice(.failing, result.reason, since: since))
        return [.say(.failing(reason: result.reason))]
    }

    private mutating func disable(_ reason: String, _ moment: Moment) -> Step {
        disabled(reason, moment)
        return .say(.disabled(reason: reason))
    }

    func notice(
        _ kind: SubscriptionNotice.Kind, _ reason: String, since: Timestamp
    ) -> SubscriptionNotice {
        SubscriptionNotice(
            kind, relay: identity.relay, id: identity.id, name: subscription.name, url: subscription.url,
            reason: reason, since: since)
    }
}
