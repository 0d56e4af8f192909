import EventModel

/// Upstream to the log: each row that happened, each of its versions at most once and in order, the last one for sure.
struct LogOracle {
    struct Event: Decodable {
        struct Content: Decodable { let row, content: String? }
        let id, type, sequence, partitionkey: String
        let revision: Int
        let data: Content

        var isDeletion: Bool { type == SourceKind.followRecords.deletedType }
    }

    let happenings: [Happening]
    /// How often a reply lacked a record that had been there.
    let absences: [String: Int]

    /// - Parameter events: the log as Kafka was offered it, by offset; retention may have removed the beginning since.
    func findings(_ events: [Int64: Event], head: Int64) -> [String] {
        var (found, rows, ids): ([String], [String: [Event]], Set<String>) = ([], [:], [])
        for (offset, event) in events.sorted(by: { $0.key < $1.key }) {
            if Int64(event.sequence) != offset {
                found.append("event \(offset) says it is \(event.sequence)")
            }
            if !ids.insert(event.id).inserted { found.append("\(event.id) is there twice") }
            // Operational events are of no row.
            guard let row = event.data.row else { continue }
            rows[row, default: []].append(event)
            if event.revision != rows[row]?.count { found.append("\(row): a revision is missing") }
        }
        if events.count != Int(head) { found.append("\(head) events, \(events.count) were offered") }
        for happening in happenings {
            found += findings(happening, rows.removeValue(forKey: happening.identity) ?? [])
        }
        if !rows.isEmpty { found.append("\(rows.count) rows never happened") }
        return found
    }

    private func findings(_ row: Happening, _ events: [Event]) -> [String] {
        var found: [String] = []
        let happened = row.versions.map(\.content)
        let logged = Self.contents(events)
        if logged != happened.filter(logged.contains) {
            found.append("\(row.identity): \(logged) out of order")
        }
        let deletions = events.count(where: \.isDeletion)
        if 2 * deletions > absences[row.identity] ?? 0 {
            found.append(
                "\(row.identity): deleted \(deletions) times, missing \(absences[row.identity] ?? 0) times")
        }
        if row.gone == nil {
            let isThere = events.last.map { !$0.isDeletion } ?? false
            if !isThere || logged.last != happened.last {
                found.append("\(row.identity): logged \(logged), happened \(happened)")
            }
        } else if let last = events.last, !last.isDeletion {
            // One that came and went between two readings was never seen.
            found.append("\(row.identity): gone, and never told of")
        }
        return found
    }

    /// What the row said, one after the other; a record that comes back after its deletion says the same again.
    private static func contents(_ events: [Event]) -> [String] {
        var contents: [String] = []
        for event in events where !event.isDeletion {
            if let content = event.data.content, content != contents.last { contents.append(content) }
        }
        return contents
    }
}
