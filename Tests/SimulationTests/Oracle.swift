import CrashWorkload
import Foundation
import Persisting

/// Conservation: every row that happened is in the log, each of its versions at most once and the last one for sure, and
/// every event arrived at every end as its sink promises.
struct Oracle {
    private let simulation: Simulation

    init(_ simulation: Simulation) {
        self.simulation = simulation
    }

    func findings() async throws -> [String] {
        let store = try EventLog(path: simulation.store, timekeeper: StepClock())
        let reader = try LogReader(path: simulation.store)
        let head = try await reader.summary().head
        var found = try await reader.problems()
        let kafka = arrivals(SimulatedRelay.kafka)
        let events = try kafka.bodies.mapValues { body in
            try JSONDecoder().decode(LogOracle.Event.self, from: Data(body))
        }
        let upstream = LogOracle(
            happenings: simulation.relay.happenings, absences: simulation.relay.absences.value)
        found += upstream.findings(events, head: head)
        found += Self.replay(try await store.replays(), arrivals(SimulatedRelay.replay))
        for sink in simulation.relay.arrivals.keys.sorted() where sink != SimulatedRelay.replay {
            let spent = try await store.deadLetters(of: sink, after: 0, limit: 10_000).map(\.letter)
                .filter { $0.attempts == SimulatedRelay.waits.count + 1 }.map(\.offset)
            found += Self.everything(sink, arrivals(sink), spent: Set(spent), head: head)
        }
        found += Self.once(SimulatedRelay.transactions, arrivals(SimulatedRelay.transactions))
        for sink in [SimulatedRelay.kafka, "webhook/ordered"] {
            found += Self.order(sink, arrivals(sink), events.mapValues(\.partitionkey))
        }
        for sink in try await reader.audit(thorough: true).sinks where sink.pending != 0 {
            found.append("\(sink.name): \(sink.pending) still pending")
        }
        return found
            + simulation.relay.lines.value.filter { $0.contains("balance") || $0.contains("refused:") }
    }

    private func arrivals(_ sink: String) -> Arrivals {
        simulation.relay.arrivals[sink]?.value ?? Arrivals()
    }

    // MARK: - The log to its ends

    /// At least once, with the same bytes each time; again only what no run of the relay has heard the end of, and once what
    /// got through behind a refused event of its key.
    /// - Parameter spent: dead letters that were tried as often as their schedule says.
    private static func everything(
        _ sink: String, _ end: Arrivals, spent: Set<Int64>, head: Int64
    ) -> [String] {
        let settled = Set(end.accepted.map(\.offset)).union(end.refused).union(spent)
        let missing = (0...head).dropFirst().filter { !settled.contains($0) }
        var found = repeats(sink, end)
        if !missing.isEmpty {
            found.append("\(sink): \(missing.count) events never arrived: \(missing.prefix(5))")
        }
        return found
    }

    private static func repeats(_ sink: String, _ end: Arrivals) -> [String] {
        var found: [String] = []
        if !end.changed.isEmpty {
            found.append("\(sink): \(end.changed.sorted().prefix(5)) came again as something else")
        }
        var heard: Set<[Int64]> = []
        for one in end.accepted {
            guard let run = one.run else { continue }
            if heard.insert([one.offset, Int64(run), one.behind ?? 0]).inserted { continue }
            found.append("\(sink): \(one.offset) was sent again after it was accepted")
        }
        return found
    }

    /// All of it, beside the live flow; an account of its own says what retention had removed or the endpoint refused.
    private static func replay(_ replays: [ReplayRecord], _ end: Arrivals) -> [String] {
        guard let replay = replays.first, replays.count == 1, replay.state == .done else {
            return ["replays: \(replays.map { "\($0.state) \($0.failure ?? "")" })"]
        }
        var found = repeats("replay", end)
        let arrived = Set(end.accepted.map(\.offset))
        let settled = replay.delivered + replay.dead + replay.expired + replay.filtered
        if settled != replay.events { found.append("replay: \(settled) of \(replay.events) events settled") }
        let missing = replay.events - Int64(arrived.count)
        if missing > replay.dead + replay.expired { found.append("replay: \(missing) events never arrived") }
        if replay.delivered > arrived.count { found.append("replay: counts more than arrived") }
        return found
    }

    /// Exactly once, in the order of the log; what is refused is not there at all.
    private static func once(_ sink: String, _ end: Arrivals) -> [String] {
        let offsets = end.accepted.map(\.offset)
        var found: [String] = []
        if Set(offsets).count != offsets.count { found.append("\(sink): events are there twice") }
        if offsets != offsets.sorted() { found.append("\(sink): events are out of order") }
        if !end.refused.isDisjoint(with: offsets) { found.append("\(sink): refused events are there") }
        return found
    }

    /// No event comes for the first time before one that stands earlier in the log under the same key.
    private static func order(_ sink: String, _ end: Arrivals, _ keys: [Int64: String]) -> [String] {
        var (seen, last): (Set<Int64>, [String: Int64]) = ([], [:])
        var found: [String] = []
        for one in end.accepted where seen.insert(one.offset).inserted {
            guard let key = keys[one.offset] else { continue }
            if let before = last[key], before > one.offset {
                found.append("\(sink): \(one.offset) came after \(before)")
            }
            last[key] = one.offset
        }
        return found
    }
}
