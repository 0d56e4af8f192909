import EventModel
import Persisting

/// The table at the end of the demo, and the verdict. Pure.
struct DemoSummary {
    /// Ids of the first revisions of all visits that happened.
    let expected: Set<String>
    /// Rows in all replies, repeats included.
    let served: Int
    let sources: [SourceRecord]
    let head: Int64
    let kafka: Arrivals.End
    let webhook: Arrivals.End

    init(expected: Set<String>, served: Int, sources: [SourceRecord], head: Int64, arrivals: Arrivals) {
        (self.expected, self.served, self.sources, self.head) = (expected, served, sources, head)
        (kafka, webhook) = (arrivals.kafka, arrivals.webhook)
    }

    var isComplete: Bool { isComplete(kafka) && isComplete(webhook) }

    var text: String {
        let totals = sources.reduce(into: AppendResult()) { $0 += $1.totals }
        var table = TextTable(["visits that happened", "\(expected.count)"])
        table.add(["rows served", "\(served)", "overlap and page edges repeat rows"])
        table.add(["stored", "\(totals.stored)", "visit.recorded"])
        table.add(["updated", "\(totals.updated)", "visit.updated"])
        table.add(["duplicates", "\(totals.duplicate)", "absorbed by the log"])
        table.add(["in quarantine", "\(totals.rejected)", "rows that could not be read"])
        table.add(["in Kafka", "\(kafka.counts.count)", note(kafka)])
        table.add(["at the webhook", "\(webhook.counts.count)", note(webhook)])
        table.add(["latency Kafka", latency(kafka), "stored → arrived, p50 / p99"])
        table.add(["latency webhook", latency(webhook), "stored → arrived, p50 / p99"])
        let verdict =
            isComplete
            ? "Every event arrived at both ends exactly once."
            : "NOT every event arrived at both ends exactly once."
        return table.text + "\n\n" + verdict
    }

    private func isComplete(_ end: Arrivals.End) -> Bool {
        expected.allSatisfy { end.counts[$0] == 1 } && end.counts.count == head && end.arrivedTwice == 0
            && end.refused == 0
    }

    private func note(_ end: Arrivals.End) -> String {
        let missing = expected.count { end.counts[$0] == nil }
        return "\(missing) missing, \(end.arrivedTwice) twice, \(end.refused) refused"
    }

    private func latency(_ end: Arrivals.End) -> String {
        let sorted = end.latencies.sorted()
        guard !sorted.isEmpty else { return "-" }
        let (middle, high) = (
            sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        )
        return "\(middle.wholeMilliseconds) / \(high.wholeMilliseconds) ms"
    }
}
