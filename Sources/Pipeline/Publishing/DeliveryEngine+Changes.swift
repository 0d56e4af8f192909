import EventModel
package import Persisting
import Ports
import Services
import Synchronization

/// Changes while it runs. All of these run on the storing task, between two writes.
extension DeliveryEngine {
    /// Makes the lane of a record anew from the store; the old one, if there is one, counts no more.
    func replaceLane(_ record: SubscriptionRecord) async throws(LogError) {
        await retireLane(record.sink)
        guard let lane = try await makeLane(record) else { return }
        lanes.withLock { $0[record.sink] = lane }
        lane.poke()
    }

    /// Takes a lane out of the flow. What it has settled is stored; what is under way counts no more and, where the
    /// subscription goes on, is sent again under the same id.
    func retireLane(_ sink: String) async {
        guard let lane = lanes.withLock({ $0.removeValue(forKey: sink) }) else { return }
        _ = await storer.store([lane])
        lane.tell { machine, _ in machine.isRetired = true }
    }

    /// Stores changed settings and puts them in force.
    func change(
        _ sink: String, _ subscription: Subscription, _ note: ChangeNote? = nil, now: Timestamp
    ) async throws(LogError) {
        let log = surroundings.log
        guard let lane = lanes.withLock({ $0[sink] }) else { return }
        _ = await storer.store([lane])
        guard let old = try await log.subscriptions().first(where: { $0.sink == sink }) else { return }
        let record = SubscriptionRecord(
            sink: sink, id: old.id, name: subscription.name, url: subscription.url,
            isConfigured: old.isConfigured, settings: subscription.stored, created: old.created, changed: now,
            health: old.health)
        _ = try await log.save(record, from: .now, note: note, now: now)
        // Rows carry keys only where order counts, and a batch's form belongs to its lane.
        let isReshaped = lane.read {
            $0.subscription.isOrdered != subscription.isOrdered
                || ($0.subscription.batch > 1) != (subscription.batch > 1)
        }
        if isReshaped { return try await replaceLane(record) }
        lane.replace(surroundings.endpoint(subscription)) { machine, moment in
            let wasDisabled = machine.subscription.isDisabled
            machine.changed(subscription)
            guard wasDisabled != subscription.isDisabled else { return }
            if subscription.isDisabled {
                machine.disabled("disabled by its settings", moment)
            } else {
                machine.resumed("enabled by its settings", moment)
            }
        }
        _ = await storer.store([lane])
    }

    /// Has every subscription count what retention has cut, also those that are held.
    package func cut(below end: Int64) {
        for lane in lanes.withLock({ Array($0.values) }) {
            lane.tell { machine, _ in machine.cut(below: end) }
        }
    }

    /// Takes webhooks of a configuration that was read again: new ones begin, changed ones go on with their new settings,
    /// those that left are paused; positions are kept.
    package func reload(_ configured: [Configured]) async throws(LogError) {
        let result = await storer.perform { () async -> Result<Void, LogError> in
            do throws(LogError) { return .success(try await self.takeOver(configured)) } catch {
                return .failure(error)
            }
        }
        // Nil: the engine has stopped, and the next start reads the file.
        if case .failure(let error) = result { throw error }
    }

    private func takeOver(_ configured: [Configured]) async throws(LogError) {
        // What the lanes know is stored first: their records are about to be compared.
        _ = await storer.store(lanes.withLock { Array($0.values) })
        let before = try await surroundings.log.subscriptions()
        try await reconcile(configured)
        for record in try await surroundings.log.subscriptions() where record.isConfigured {
            let old = before.first { $0.sink == record.sink }
            let isSame = old?.settings == record.settings && old?.health == record.health
            if !isSame { try await replaceLane(record) }
        }
    }

    /// Dead letters that wait again.
    func redriven(_ offsets: [Int64], of sink: String) async throws(LogError) {
        var redrives: [(offset: Int64, key: String)] = []
        for offset in offsets {
            if let event = try await surroundings.log.event(at: offset) {
                redrives.append((offset, event.key))
            }
        }
        lanes.withLock { $0[sink] }?.tell { machine, moment in machine.redriven(redrives, moment) }
    }
}
