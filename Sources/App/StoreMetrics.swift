import EventModel
import Persisting
import Ports
import Services
import Serving

/// Sets the metrics that the store knows.
struct StoreMetrics: Sendable {
    let reader: LogReader
    let metrics: RelayMetrics
    let timekeeper: any Timekeeper
    let logger: Logger

    func refresh() async {
        do throws(LogError) {
            let summary = try await reader.summary()
            metrics.logHead.set(Double(summary.head))
            let now = timekeeper.now
            for source in try await reader.sources() { show(source, now) }
            for sink in try await reader.sinks() { show(sink, head: summary.head) }
        } catch {
            logger.warning("metrics of the store cannot be read", [.cause: .text(error.description)])
        }
    }

    private func show(_ source: SourceRecord, _ now: Timestamp) {
        let (name, totals) = (source.identity.name, source.totals)
        let results = [
            ("stored", totals.stored), ("updated", totals.updated), ("duplicate", totals.duplicate),
            ("rejected", totals.rejected), ("too_old", totals.tooOld),
        ]
        for (result, count) in results { metrics.sourceRows.set(Double(count), name, result) }
        if let reached = source.reached { metrics.sourceLag.set((now - reached).inSeconds, name) }
        if let oldest = source.schedule?.oldestReading {
            metrics.sourceOldestReading.set((now - oldest).inSeconds, name)
        }
    }

    private func show(_ sink: SinkRecord, head: Int64) {
        let settled = sink.progress.settled.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 }
        let pending = head - sink.progress.position - settled + sink.waiting
        metrics.sinkPosition.set(Double(sink.progress.position), sink.name)
        metrics.sinkBacklog.set(Double(pending), sink.name)
        metrics.deadLetters.set(Double(sink.dead), sink.name)
        let states = [
            ("delivered", sink.delivered), ("filtered", sink.filtered), ("dead", sink.dead),
            ("pending", pending),
        ]
        for (state, count) in states { metrics.sinkEvents.set(Double(count), sink.name, state) }
    }
}
