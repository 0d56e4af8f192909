package import EventModel
import Foundation
package import Persisting
import Ports
package import Services
import Signing
import Synchronization

/// Everything that can be done to subscriptions while the relay runs: the room's door for the API.
///
/// Changes run between two writes of the engine, so an answer means that the change is on disk and in force.
package struct SubscriptionBook: Sendable {
    private let engine: DeliveryEngine

    package init(_ engine: DeliveryEngine) {
        self.engine = engine
    }

    private var log: EventLog { engine.surroundings.log }
    private var now: Timestamp { engine.surroundings.timekeeper.now }

    // MARK: - Looking

    package func list() async throws(BookError) -> [SubscriptionView] {
        var views: [SubscriptionView] = []
        for record in try await book({ () async throws(LogError) in try await log.subscriptions() }) {
            if let view = view(record) { views.append(view) }
        }
        return views
    }

    package func find(_ id: String) async throws(BookError) -> SubscriptionView {
        guard let view = view(try await record(id)) else { throw BookError(.unreadable, id) }
        return view
    }

    /// What is delivered, filtered, dead, pending, held: the account of one subscription.
    package func backlog(_ id: String) async throws(BookError) -> SinkRecord {
        let sink = try await record(id).sink
        guard let record = try await book({ () async throws(LogError) in try await log.sink(sink) }) else {
            throw BookError(.notFound, id)
        }
        return record
    }

    /// The newest first.
    /// - Parameter until: none that began later.
    package func attempts(
        _ id: String, until: Timestamp, limit: Int
    ) async throws(BookError) -> [AttemptRecord] {
        let sink = try await record(id).sink
        return try await book { () async throws(LogError) in
            try await log.attempts(of: sink, until: until, limit: limit)
        }
    }

    /// What waits for another attempt, by offset.
    package func waiting(
        _ id: String, after offset: Int64, limit: Int
    ) async throws(BookError) -> [RetryRow] {
        let sink = try await record(id).sink
        return try await book { () async throws(LogError) in
            try await log.retries(of: sink, after: offset, limit: limit)
        }
    }

    /// - Parameters:
    ///   - id: nil lists those of every sink.
    ///   - after: the last one seen; 0 begins at the oldest.
    package func deadLetters(
        of id: String?, after: Int64, limit: Int
    ) async throws(BookError) -> [DeadLetterRecord] {
        var sink: String?
        if let id { sink = try await record(id).sink }
        return try await book { [sink] () async throws(LogError) in
            try await log.deadLetters(of: sink, after: after, limit: limit)
        }
    }

    /// What each subscription has done with an event, by the account it keeps.
    package func fates(of event: StoredEvent) async throws(BookError) -> [(
        view: SubscriptionView, fate: EventFate
    )] {
        let troubles = try await book { () async throws(LogError) in
            try await log.troubles(at: event.offset)
        }
        var fates: [(view: SubscriptionView, fate: EventFate)] = []
        for view in try await list() {
            let sink = view.record.sink
            let found = try await book { () async throws(LogError) in try await log.sink(sink) }
            guard let found else { continue }
            fates.append((view, EventFate(event, found, view.subscription.selection, troubles[sink])))
        }
        return fates
    }

    // MARK: - Making and changing

    /// Makes a subscription; its secret is made when none was given. The answer is the only one that shows it.
    package func create(
        _ subscription: Subscription, from start: SinkStart, by who: String
    ) async throws(BookError) -> (view: SubscriptionView, secret: Secret) {
        var subscription = subscription
        if subscription.secrets.isEmpty { subscription.secrets = [.init(newSecret())] }
        let secret = subscription.secrets[0].secret
        let id = newID()
        if subscription.name.isEmpty { subscription.name = id }
        try await checkName(subscription.name, except: nil)
        try SubscriptionRules.check(subscription)
        let record = SubscriptionRecord(
            sink: SubscriptionName.sink(ofID: id), id: id, name: subscription.name, url: subscription.url,
            isConfigured: false, settings: subscription.stored, created: now, changed: now,
            health: .of(subscription, now))
        let note = ChangeNote(who: who, what: "subscription.created", subject: id)
        try await perform { [engine, now] () async throws(LogError) in
            _ = try await engine.surroundings.log.save(record, from: start, note: note, now: now)
            try await engine.replaceLane(record)
        }
        return (try await find(id), secret)
    }

    /// Changes settings; new patterns apply above the position.
    package func change(
        _ id: String, by who: String, _ change: (inout Subscription) -> Void
    ) async throws(BookError) -> SubscriptionView {
        let old = try await writable(id)
        guard var subscription = Subscription(stored: old.settings) else { throw BookError(.unreadable, id) }
        change(&subscription)
        if subscription.name.isEmpty { subscription.name = old.id }
        try await checkName(subscription.name, except: old.id)
        try SubscriptionRules.check(subscription)
        try await save(old, subscription, "subscription.changed", who)
        return try await find(id)
    }

    /// - Returns: the new secret. Older ones go on signing until `overlap` has passed.
    package func rotateSecret(
        _ id: String, to secret: Secret? = nil, overlap: Duration, by who: String
    ) async throws(BookError) -> Secret {
        let old = try await writable(id)
        guard var subscription = Subscription(stored: old.settings) else { throw BookError(.unreadable, id) }
        let fresh = secret ?? newSecret()
        let end = now + overlap
        let kept = subscription.secrets.compactMap { known -> Subscription.SigningSecret? in
            let until = min(known.end ?? end, end)
            return until > now ? Subscription.SigningSecret(known.secret, until: until) : nil
        }
        subscription.secrets = [.init(fresh)] + kept
        try SubscriptionRules.check(subscription)
        try await save(old, subscription, "subscription.secret_rotated", who)
        return fresh
    }

    /// Removes it; the totals of its account are kept apart.
    package func remove(_ id: String, by who: String) async throws(BookError) {
        let record = try await writable(id)
        let note = ChangeNote(who: who, what: "subscription.deleted", subject: record.id)
        try await perform { [engine, now] () async throws(LogError) in
            await engine.retireLane(record.sink)
            try await engine.surroundings.log.removeSubscription(record.sink, note: note, now: now)
        }
    }

    // MARK: - Flow

    /// Its events are held from now on; what is under way ends by itself.
    package func pause(_ id: String, by who: String) async throws(BookError) {
        let record = try await record(id)
        let note = ChangeNote(who: who, what: "subscription.paused", subject: record.id)
        try await tell(record.sink, note) { machine, moment in machine.paused("by request", moment) }
    }

    /// Held events flow; also enables what was disabled.
    package func resume(_ id: String, by who: String) async throws(BookError) {
        let record = try await record(id)
        let note = ChangeNote(who: who, what: "subscription.resumed", subject: record.id)
        try await tell(record.sink, note) { machine, moment in machine.resumed("by request", moment) }
    }

    /// Closes the account and begins another at `start`; waiting events and dead letters of the old one go with it.
    package func reset(_ id: String, to start: SinkStart, by who: String) async throws(BookError) {
        let record = try await record(id)
        let note = ChangeNote(who: who, what: "subscription.reset", subject: record.id)
        try await perform { [engine, now] () async throws(LogError) in
            let log = engine.surroundings.log
            await engine.retireLane(record.sink)
            _ = try await log.resetSubscription(record.sink, to: start, note: note, now: now)
            // How it stands now, not as it was read: the retired lane may have changed it last.
            if let current = try await log.subscriptions().first(where: { $0.sink == record.sink }) {
                try await engine.replaceLane(current)
            }
        }
    }

    /// Sends one `millrace.test` event now, beside the flow, whatever state the subscription is in.
    package func test(_ id: String) async throws(BookError) -> AttemptRecord {
        let record = try await record(id)
        guard let lane = engine.lanes.withLock({ $0[record.sink] }) else { throw BookError(.unreadable, id) }
        let event = TestEvent.make(
            record, relay: engine.surroundings.relay, now: now, random: engine.surroundings.randomBytes(10))
        let began = Moment(now: now, elapsed: engine.surroundings.timekeeper.elapsed)
        let isBatch = lane.read { $0.subscription.batch > 1 }
        let delivery = Delivery(id: event.id.text, events: [event], isBatch: isBatch, attempt: 1)
        let endpoint = lane.endpoint
        let result = await withCheckedContinuation { continuation in
            endpoint.begin(delivery) { continuation.resume(returning: $0) }
        }
        return AttemptRecord(
            offset: 0, webhookID: delivery.id, time: began.now, attempt: 1, status: result.status,
            duration: engine.surroundings.timekeeper.elapsed - began.elapsed,
            failure: result.failure?.rawValue, reason: result.reason.isEmpty ? nil : result.reason,
            answer: result.answer)
    }

    // MARK: - Replays

    /// The way of a replay to a subscription.
    /// - Parameter replay: its id, which every delivery carries.
    package func replayTarget(_ id: String, replay: String) async throws(BookError) -> SubscriptionReplay {
        SubscriptionReplay(engine, sink: try await record(id).sink, replay: replay)
    }

    // MARK: - Dead letters

    /// Moves dead letters of a subscription back among what waits, due at once.
    /// - Parameter since: takes only those that died at or after this; nil takes all.
    /// - Returns: how many moved; those whose event retention has removed stay dead.
    package func redrive(
        _ id: String, since: Timestamp? = nil, by who: String
    ) async throws(BookError) -> Int {
        let record = try await record(id)
        var moved = 0
        var last: Int64 = 0
        while true {
            let page = try await deadLetters(of: record.id, after: last, limit: 500)
            guard let end = page.last else { return moved }
            last = end.id
            let chosen = page.filter { letter in since.map { letter.letter.died >= $0 } ?? true }
            moved += try await redrive(chosen.map(\.id), of: record, by: who)
        }
    }

    /// … and single ones, of any subscription. One that does not exist, or is no subscription's, is an error, and nothing
    /// has moved.
    package func redrive(ids: [Int64], by who: String) async throws(BookError) -> Int {
        let letters = try await book { () async throws(LogError) in try await log.deadLetters(ids: ids) }
        if let missing = Set(ids).subtracting(letters.map(\.id)).min() {
            throw BookError(.noLetter, field: "ids", "there is no dead letter \(missing)")
        }
        let all = try await book { () async throws(LogError) in try await log.subscriptions() }
        let known = Dictionary(all.map { ($0.sink, $0) }) { first, _ in first }
        if let foreign = letters.first(where: { known[$0.sink] == nil }) {
            throw BookError(
                .inconsistent, field: "ids", "\(foreign.id) is no subscription's: replay its event instead")
        }
        var moved = 0
        for (sink, letters) in Dictionary(grouping: letters, by: \.sink).sorted(by: { $0.key < $1.key }) {
            if let record = known[sink] { moved += try await redrive(letters.map(\.id), of: record, by: who) }
        }
        return moved
    }

    private func redrive(
        _ ids: [Int64], of record: SubscriptionRecord, by who: String
    ) async throws(BookError) -> Int {
        guard !ids.isEmpty else { return 0 }
        let note = ChangeNote(who: who, what: "dead_letters.redriven", subject: record.id)
        return try await perform { [engine, now] () async throws(LogError) in
            let offsets = try await engine.surroundings.log.redrive(
                ids, of: record.sink, note: note, now: now)
            try await engine.redriven(offsets, of: record.sink)
            return offsets.count
        }
    }

    // MARK: - Inside

    private func view(_ record: SubscriptionRecord) -> SubscriptionView? {
        guard let subscription = Subscription(stored: record.settings) else { return nil }
        let lane = engine.lanes.withLock { $0[record.sink] }
        return SubscriptionView(
            record: record, subscription: subscription,
            standing: lane?.read { machine in
                SubscriptionView.Standing(
                    health: machine.health, underWay: machine.flights.count, budget: machine.throttle.budget)
            })
    }

    private func record(_ id: String) async throws(BookError) -> SubscriptionRecord {
        let all = try await book { () async throws(LogError) in try await log.subscriptions() }
        // By name as well: people know a configured one by no other.
        guard let found = all.first(where: { $0.id == id }) ?? all.first(where: { $0.name == id }) else {
            throw BookError(.notFound, "of this id or name")
        }
        return found
    }

    private func writable(_ id: String) async throws(BookError) -> SubscriptionRecord {
        let record = try await record(id)
        guard !record.isConfigured else { throw BookError(.readOnly, id) }
        return record
    }

    private func checkName(_ name: String, except id: String?) async throws(BookError) {
        let all = try await book { () async throws(LogError) in try await log.subscriptions() }
        if all.contains(where: { $0.name == name && $0.id != id }) { throw BookError(.nameTaken, name) }
    }

    private func save(
        _ old: SubscriptionRecord, _ subscription: Subscription, _ what: String, _ who: String
    ) async throws(BookError) {
        let note = ChangeNote(who: who, what: what, subject: old.id)
        try await perform { [engine, now] () async throws(LogError) in
            try await engine.change(old.sink, subscription, note, now: now)
        }
    }

    private func tell(
        _ sink: String, _ note: ChangeNote,
        _ change: @escaping @Sendable (inout LaneMachine, Moment) -> Void
    ) async throws(BookError) {
        try await perform { [engine] () async throws(LogError) in
            guard let lane = engine.lanes.withLock({ $0[sink] }) else { return }
            try await engine.surroundings.log.record(note)
            lane.tell(change)
            _ = await engine.storer.store([lane])
        }
    }

    private func perform<T: Sendable>(
        _ command: @escaping @Sendable () async throws(LogError) -> T
    ) async throws(BookError) -> T {
        let result = await engine.storer.perform { () async -> Result<T, LogError> in
            do throws(LogError) { return .success(try await command()) } catch { return .failure(error) }
        }
        guard let result else { throw BookError(.stopped, "") }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw BookError(error)
        }
    }

    private func book<T>(_ read: () async throws(LogError) -> T) async throws(BookError) -> T {
        do throws(LogError) { return try await read() } catch { throw BookError(error) }
    }

    private func newSecret() -> Secret {
        Secret("whsec_" + Data(engine.surroundings.randomBytes(32)).base64EncodedString())
    }

    private func newID() -> String {
        let id = EventID(time: now, digest: engine.surroundings.randomBytes(10))
        return "sub_" + id.text.dropFirst(4)
    }
}
