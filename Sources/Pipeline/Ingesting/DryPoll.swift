import EventModel
package import Normalizing
package import Persisting
package import Ports

/// One poll cycle that stores nothing: what `millrace poll --dry-run` shows. Needs no store; a running relay is left alone.
package struct DryPoll: Sendable {
    private let source: any WindowSource
    private let normalizing: RowNormalizing
    private let schedule: SourcePoller.Schedule
    private let position: SourcePosition?
    private let timekeeper: any Timekeeper

    /// - Parameter position: where the source stands in the store; nil begins at the schedule's start.
    package init(
        _ source: any WindowSource, normalizing: RowNormalizing, schedule: SourcePoller.Schedule,
        position: SourcePosition?, timekeeper: any Timekeeper
    ) {
        (self.source, self.normalizing, self.schedule) = (source, normalizing, schedule)
        (self.position, self.timekeeper) = (position, timekeeper)
    }

    /// Reads every live window that is due and the gap before it, and hands over what would be appended, page by page.
    package nonisolated(nonsending) func run(
        each: nonisolated(nonsending) ([LogRow]) async -> Void
    ) async throws(SourceError) {
        let now = timekeeper.now
        var plans = LanePlans(
            lanes: source.lanes, schedule.planSettings, state: position.flatMap(LanePlans.State.init),
            start: schedule.start ?? now, now: now)
        var clock = VendorClock()
        while true {
            let now = timekeeper.now
            let step = plans.next(now: now, vendorNow: clock.now(now, elapsed: timekeeper.elapsed))
            guard case .read(let window, let lane, let purpose) = step, !purpose.isSweep else { return }
            var count = 0
            try await source.read(window, lane: lane) { page throws(SourceError) in
                count += page.rows.count
                if let time = page.vendorTime { clock.saw(time, at: timekeeper.elapsed) }
                await each(normalizing.normalize(page.rows))
            }
            plans.completed(window, lane: lane, purpose, rows: count, certain: nil, now: timekeeper.now)
        }
    }
}
