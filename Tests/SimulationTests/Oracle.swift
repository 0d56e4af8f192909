import CrashWorkload
import Foundation
import Persisting

/// Conservation: every row that happened is in the log, each of its versions at most once and the last one for sure, and
/// every event arrived at both ends or lies with the dead letters.
struct Oracle {
    private let simulation: Simulation
    private let happenings: [SimulatedVendor.Happening]

    init(_ simulation: Simulation) {
        self.simulation = simulation
        happenings = simulation.relay.vendor.happenings
    }

    private struct Event: Decodable {
        struct Content: Decodable { let content: String }
        let id, subject, sequence: String
        let revision: Int
        let data: Content
    }

    func findings() async throws -> [String] {
        _ = try EventLog(path: simulation.store, timekeeper: StepClock())
        let reader = try LogReader(path: simulation.store)
        let (kafka, hook) = (simulation.relay.atKafka.value, simulation.relay.atHook.value)
        let head = try await reader.summary().head
        var found = try await reader.problems()
        found += try log(kafka, head: head)
        found += arrivals("kafka", kafka, head: head) + arrivals("webhook", hook, head: head)
        found += order(kafka)
        for sink in try await reader.audit(thorough: true).sinks where sink.pending != 0 {
            found.append("\(sink.name): \(sink.pending) still pending")
        }
        found += simulation.relay.lines.value.filter { $0.contains("balance") }
        return found
    }

    /// The log as Kafka was offered it: retention may have removed the beginning since.
    private func log(_ kafka: Arrivals, head: Int64) throws -> [String] {
        var (found, contents, ids): ([String], [String: [String]], Set<String>) = ([], [:], [])
        for (offset, body) in kafka.bodies.sorted(by: { $0.key < $1.key }) {
            let event = try JSONDecoder().decode(Event.self, from: Data(body))
            contents[event.subject, default: []].append(event.data.content)
            if Int64(event.sequence) != offset {
                found.append("event \(offset) says it is \(event.sequence)")
            }
            if event.revision != contents[event.subject]?.count {
                found.append("\(event.subject): a revision is missing")
            }
            if !ids.insert(event.id).inserted { found.append("\(event.id) is there twice") }
        }
        if kafka.bodies.count != Int(head) {
            found.append("\(head) events, \(kafka.bodies.count) were offered")
        }
        for row in happenings {
            let logged = contents.removeValue(forKey: "unionid/\(row.identity)") ?? []
            let happened = row.versions.map(\.content)
            if logged.last != happened.last {
                found.append("\(row.identity): logged \(logged), happened \(happened)")
            }
            if logged != happened.filter(logged.contains) {
                found.append("\(row.identity): \(logged) out of order")
            }
        }
        if !contents.isEmpty { found.append("\(contents.count) rows never happened") }
        return found
    }

    private func arrivals(_ name: String, _ end: Arrivals, head: Int64) -> [String] {
        let settled = Set(end.accepted).union(end.refused)
        let missing = (0...head).dropFirst().filter { !settled.contains($0) }
        var found = end.changed.isEmpty ? [] : ["\(name): \(end.changed.count) events came with other bytes"]
        if !missing.isEmpty {
            found.append("\(name): \(missing.count) events never arrived: \(missing.prefix(5))")
        }
        return found
    }

    /// Kafka: no event comes for the first time before one that stands earlier in the log under the same key. The events
    /// of a key are the versions of one row here.
    private func order(_ kafka: Arrivals) -> [String] {
        var (seen, last): (Set<Int64>, [String: Int64]) = ([], [:])
        var found: [String] = []
        for offset in kafka.accepted where seen.insert(offset).inserted {
            let key =
                kafka.bodies[offset].map { String(decoding: $0, as: UTF8.self) }
                .flatMap { $0.split(separator: "partitionkey").last?.split(separator: "\"")[1] }.map(
                    String.init) ?? ""
            if let before = last[key], before > offset {
                found.append("kafka: \(offset) came after \(before)")
            }
            last[key] = offset
        }
        return found
    }
}
