import EventModel
import Persisting
package import Ports
import TestSupport

/// One run over a store. Sinks note what they delivered before they settle it, as the world sees it before the store.
struct Life: Sendable {
    let workload: Workload
    let log: EventLog
    let clock: StepClock
    let patience: Patience
    let note: @Sendable (Notes.Line) -> Void

    func run() async throws(LogError) {
        let position = try await patience.trying { () async throws(LogError) in
            try await log.position(of: Workload.visits)
        }
        let first = position.flatMap { Int($0.state) }.map { $0 + 1 } ?? 0
        for step in first..<workload.steps {
            clock.set(step)
            try await openSinks()
            try await read(step)
            try await page(step)
            try await kafka()
            try await hook(step)
            try await forget(step)
        }
        // What is left is settled until nothing waits: two rounds of retries and the last open event.
        for step in workload.steps..<(workload.steps + 4) {
            clock.set(step)
            try await openSinks()
            try await kafka()
            try await hook(step | 1)
        }
        note(.done)
    }

    private func openSinks() async throws(LogError) {
        for sink in ["kafka", "hook"] {
            _ = try await patience.trying { () async throws(LogError) in
                try await log.openSink(sink, from: .beginning)
            }
        }
    }

    private func page(_ step: Int) async throws(LogError) {
        let rows = workload.page(step)
        _ = try await patience.trying { () async throws(LogError) in
            try await log.append(
                rows, from: Workload.visits, position: SourcePosition(state: "\(step)", watermark: clock.now))
        }
        note(.acknowledged(log.head))
    }

    private func read(_ step: Int) async throws(LogError) {
        let rows = workload.reading(step)
        _ = try await patience.trying { () async throws(LogError) in
            try await log.store(
                rows, from: Workload.follow,
                CustomerReading(
                    key: "wm1", eventSource: "/acme/acme-tanma/tanma.follow_records", picked: clock.now,
                    reply: [UInt8(step)],
                    patience: Workload.minute))
        }
        note(.acknowledged(log.head))
    }

    private func forget(_ step: Int) async throws(LogError) {
        guard step % 4 == 3 else { return }
        _ = try await patience.trying { () async throws(LogError) in
            try await log.forget(retention: Workload.minute * 3, dedupRetention: .zero)
        }
    }

    // MARK: - Sinks

    /// In order, some filtered.
    private func kafka() async throws(LogError) {
        let progress = try await progress("kafka")
        let events = try await events(after: progress.position)
        guard let last = events.last else { return }
        var update = SinkUpdate(progress: SinkProgress(position: last.offset))
        for event in events {
            if event.offset % 5 == 0 {
                update.filtered += 1
            } else {
                note(.kafka(event.offset))
                update.delivered += 1
            }
        }
        try await settle("kafka", update)
    }

    /// In any order: every third fails at first, some for good, and in even steps the first one is still under way.
    private func hook(_ step: Int) async throws(LogError) {
        let before = try await progress("hook")
        let events = try await events(after: before.position).filter { event in
            !before.settled.contains { $0.contains(event.offset) }
        }
        let open = step % 2 == 0 ? events.first?.offset : nil
        var update = SinkUpdate(progress: before)
        try await retry(&update)
        for event in events.reversed() where event.offset != open {
            if event.offset % 3 == 0 {
                update.waiting.append(
                    RetryRow(
                        offset: event.offset, attempts: 1, due: clock.now + Workload.minute,
                        firstFailed: clock.now, status: 500, reason: "HTTP status 500"))
            } else {
                note(.hook(event.offset))
                update.delivered += 1
            }
        }
        if let last = [events.last?.offset, before.settled.last?.upperBound].compactMap(\.self).max() {
            update.progress = Self.progress(open: open, before: before.position, last: last)
        }
        try await settle("hook", update)
    }

    private func retry(_ update: inout SinkUpdate) async throws(LogError) {
        let due = try await patience.trying { () async throws(LogError) in
            try await log.retries(of: "hook")
        }
        for row in due where row.due <= clock.now {
            note(.hook(row.offset))
            update.released.append(row.offset)
            if row.offset % 9 == 0 {
                update.dead.append(
                    DeadLetter(offset: row.offset, attempts: 2, died: clock.now, status: 410, reason: "gone"))
            } else {
                update.delivered += 1
            }
        }
    }

    private static func progress(open: Int64?, before: Int64, last: Int64) -> SinkProgress {
        guard let open else { return SinkProgress(position: max(last, before)) }
        return SinkProgress(position: open - 1, settled: open < last ? [(open + 1)...last] : [])
    }

    private func settle(_ sink: String, _ update: SinkUpdate) async throws(LogError) {
        try await patience.trying { () async throws(LogError) in try await log.settle(sink, update) }
    }

    private func progress(_ sink: String) async throws(LogError) -> SinkProgress {
        try await patience.trying { () async throws(LogError) in
            try await log.openSink(sink, from: .beginning)
        }
    }

    private func events(after offset: Int64) async throws(LogError) -> [StoredEvent] {
        try await patience.trying { () async throws(LogError) in
            try await log.events(after: offset, limit: 1000)
        }
    }
}

extension Workload {
    /// Rows of a step: new, changed, the same again, and one in two steps that cannot be read.
    func page(_ step: Int) -> [LogRow] {
        var random = SeededGenerator(seed: seed &+ UInt64(step) &* 1000)
        var rows: [LogRow] = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            let identity = Int.random(in: 0..<20, using: &random)
            let content = Int.random(in: 0..<3, using: &random)
            return row(.visits, identity, content: content, raw: "\(step) \(content)")
        }
        if step % 2 == 1 {
            rows.append(.rejected(raw: Array("broken \(step)".utf8), reason: "row: not readable"))
        }
        return rows
    }

    /// Records of one customer: some are away for steps on end, and told of as deleted, and may come back.
    func reading(_ step: Int) -> [LogRow] {
        (0..<4).filter { ($0 + step / 3) % 3 != 0 }.map {
            row(.followRecords, $0, content: step / 4, raw: "\(step)")
        }
    }

    /// Rows that do not fit into SQLite's cache together.
    package static func largeRows(_ count: Int, bytes: Int) -> [LogRow] {
        let data = Array("\"".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: bytes) + Array("\"".utf8)
        return (0..<count).map { number in
            let draft = EventDraft(
                relay: "acme", account: "acme-tanma", kind: .visits, identity: "\(number)",
                time: Timestamp(seconds: 1_700_000_000), subject: "customer/1", data: data)
            return .event(draft, raw: Array("\(number)".utf8))
        }
    }

    private func row(_ kind: SourceKind, _ identity: Int, content: Int, raw: String) -> LogRow {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: kind, identity: "\(identity)",
            time: Timestamp(seconds: 1_700_000_000 + Int64(identity)), subject: "customer/\(identity % 3)",
            data: Array(#"{"content":"\#(content)"}"#.utf8))
        return .event(draft, raw: Array(raw.utf8))
    }
}
