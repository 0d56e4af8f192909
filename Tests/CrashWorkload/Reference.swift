import EventModel
import Persisting
import TestSupport

/// A workload's undisturbed life: what every other one must come to.
package struct Reference: Sendable {
    package let workload: Workload
    /// Every event ever stored, by offset from 1.
    package let bodies: [[UInt8]]
    /// The head after each step's reading and after its page.
    let heads: [(reading: Int64, page: Int64)]
    /// What the kafka sink is to deliver.
    let kafka: Set<Int64>

    package init(_ workload: Workload) async throws {
        self.workload = workload
        let folder = try TemporaryFolder()
        let (acknowledged, clock) = (Shared<[Int64]>([]), StepClock())
        let log = try EventLog(path: folder.file("reference.db"), timekeeper: clock)
        let life = Life(
            workload: workload, log: log, clock: clock, patience: Patience(persists: false),
            note: { line in if case .acknowledged(let head) = line { acknowledged.change { $0.append(head) } }
            })
        try await life.run()
        // From memory, where they still are when retention has removed them.
        bodies = try await log.events(after: 0, limit: 10_000).map(\.body)
        let heads = acknowledged.value
        self.heads = stride(from: 0, to: heads.count - 1, by: 2).map { (heads[$0], heads[$0 + 1]) }
        kafka = Set((1...Int64(bodies.count)).filter { $0 % 5 != 0 })
    }

    /// What is wrong with a store after a crash, whatever was under way; empty when the promises hold.
    package func broken(_ path: String, _ notes: Notes) async throws -> [String] {
        let reader: LogReader
        do throws(LogError) {
            // As the next start does it: what the crash left in the WAL is taken in.
            _ = try EventLog(path: path, timekeeper: StepClock())
            reader = try LogReader(path: path)
        } catch {
            return ["the store does not open: \(error)"]
        }
        var found = try await reader.problems().map { "L3, L6: \($0)" }
        let summary = try await reader.summary()
        if summary.head < notes.acknowledged {
            found.append("L1: \(notes.acknowledged) was acknowledged, the head is \(summary.head)")
        }
        found += try await log(reader, head: summary.head)
        for sink in try await reader.sinks() { found += Self.sink(sink, notes) }
        return found
    }

    /// What is wrong with a store whose workload has come to its end, in however many lives.
    package func unfinished(_ path: String, _ notes: Notes) async throws -> [String] {
        var found = try await broken(path, notes)
        let reader = try LogReader(path: path)
        let head = try await reader.summary().head
        if head != Int64(bodies.count) { found.append("L5: the head is \(head), not \(bodies.count)") }
        if notes.kafka != kafka { found.append("kafka has not seen exactly what it should") }
        if notes.hook != Set((0...head).dropFirst()) { found.append("the webhook has not seen everything") }
        for sink in try await reader.audit(thorough: true).sinks where sink.pending != 0 {
            found.append("\(sink.name): \(sink.pending) pending at the end")
        }
        return found
    }

    private func log(_ reader: LogReader, head: Int64) async throws -> [String] {
        var found: [String] = []
        if head > bodies.count { return ["L5: the head is \(head), more than ever happened"] }
        for event in try await reader.events(after: 0, limit: 10_000)
        where event.body != bodies[Int(event.offset) - 1] {
            found.append("L3: event \(event.offset) is not what it was")
        }
        // A page's events and the position that covers them come and go together.
        let position = try await reader.sources().first { $0.identity == Workload.visits }?.position
        let step = position.flatMap { Int($0.state) } ?? -1
        let stored = step < 0 ? 0 : heads[step].page
        let next = step + 1 < heads.count ? heads[step + 1].reading : stored
        if head != stored, head != next {
            found.append("L2: the position is of step \(step), the head \(head)")
        }
        return found
    }

    private static func sink(_ sink: SinkRecord, _ notes: Notes) -> [String] {
        let settled =
            sink.progress.settled.flatMap { Array($0) }
            + Array(0...max(0, sink.progress.position)).dropFirst()
        let seen = sink.name == "kafka" ? notes.kafka : notes.hook
        let missing = settled.filter { offset in
            sink.name == "kafka"
                ? offset % 5 != 0 && !seen.contains(offset) : offset % 3 != 0 && !seen.contains(offset)
        }
        return missing.isEmpty
            ? [] : ["L4: \(sink.name) has passed \(missing.count) events it never delivered"]
    }
}
