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
            let (sources, sinks) = (try await reader.sources(), try await reader.sinks())
            forget()
            let now = timekeeper.now
            for source in sources { show(source, now) }
            for sink in sinks { show(sink) }
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

    /// What has left the configuration or was deleted must not stay with its last number.
    private func forget() {
        for metric in [
            metrics.sourceRows, metrics.sourceLag, metrics.sourceOldestReading, metrics.sinkPosition,
            metrics.sinkBacklog, metrics.sinkEvents, metrics.deadLetters, metrics.circuitOpen,
        ] { metric.clear() }
    }

    private func show(_ sink: SinkRecord) {
        metrics.sinkPosition.set(Double(sink.progress.position), sink.name)
        metrics.sinkBacklog.set(Double(sink.open), sink.name)
        metrics.deadLetters.set(Double(sink.dead), sink.name)
        let states = [
            (sink.name == SinkName.kafka ? "published" : "delivered", sink.delivered),
            ("filtered", sink.filtered), ("dead", sink.dead),
            ("pending", sink.pending), ("held", sink.held), ("expired", sink.expired),
        ]
        for (state, count) in states { metrics.sinkEvents.set(Double(count), sink.name, state) }
        guard let subscription = sink.subscription else { return }
        metrics.circuitOpen.set(subscription.health.isCircuitOpen ? 1 : 0, subscription.name)
    }
}
