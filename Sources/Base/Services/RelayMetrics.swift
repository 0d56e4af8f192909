/// Every metric the relay has, by the name users know (contract, section 9): made here and nowhere else.
///
/// What a part counts itself is updated by it; what the store knows better (rows since the first day, positions, backlogs) is looked up
/// when somebody asks.
package struct RelayMetrics: Sendable {
    package let registry: MetricsRegistry

    package let sourceRows: Metric
    package let sourceRequests: Metric
    package let sourceRequestSeconds: Metric
    package let sourceLag: Metric
    package let sourceOldestReading: Metric
    package let sourceDrift: Metric
    package let logHead: Metric
    package let logAppendSeconds: Metric
    package let sinkPosition: Metric
    package let sinkBacklog: Metric
    package let sinkEvents: Metric
    package let kafkaRecords: Metric
    package let kafkaQueue: Metric
    package let kafkaQueueBytes: Metric
    package let kafkaBrokers: Metric
    package let webhookAttempts: Metric
    package let webhookAttemptSeconds: Metric
    package let deliveryLatency: Metric
    package let deadLetters: Metric
    package let circuitOpen: Metric
    package let httpRequests: Metric
    package let httpStreams: Metric
    package let httpStreamsDropped: Metric

    package init(_ registry: MetricsRegistry = MetricsRegistry()) {
        self.registry = registry
        sourceRows = registry.counter(
            "millrace_source_rows_total", "Rows read, by what became of them.", labels: ["source", "result"])
        sourceRequests = registry.counter(
            "millrace_source_requests_total", "Requests to a vendor, by how they ended.",
            labels: ["source", "outcome"])
        sourceRequestSeconds = registry.histogram(
            "millrace_source_request_seconds", "How long requests to a vendor took.", labels: ["source"])
        sourceLag = registry.gauge(
            "millrace_source_lag_seconds", "Time since the instant up to which a source is known.",
            labels: ["source"])
        sourceOldestReading = registry.gauge(
            "millrace_source_oldest_reading_seconds", "Age of the oldest reading of a customer.",
            labels: ["source"])
        sourceDrift = registry.counter(
            "millrace_source_drift_total", "Fields that a vendor added or left out.",
            labels: ["source", "field", "kind"])
        logHead = registry.gauge("millrace_log_head_offset", "Offset of the newest event.")
        logAppendSeconds = registry.histogram(
            "millrace_log_append_seconds", "How long it took until a page was on disk.")
        sinkPosition = registry.gauge(
            "millrace_sink_position", "Offset up to which a sink has settled everything.", labels: ["sink"])
        sinkBacklog = registry.gauge(
            "millrace_sink_backlog", "Events a sink has not settled.", labels: ["sink"])
        sinkEvents = registry.gauge(
            "millrace_sink_events", "Events of a sink, by state.", labels: ["sink", "state"])
        kafkaRecords = registry.counter(
            "millrace_kafka_records_total", "Records handed to Kafka, by result.",
            labels: ["topic", "result"])
        kafkaQueue = registry.gauge(
            "millrace_kafka_queue_records", "Records the Kafka client holds that are not acknowledged.")
        kafkaQueueBytes = registry.gauge("millrace_kafka_queue_bytes", "Bytes of those records.")
        kafkaBrokers = registry.gauge(
            "millrace_kafka_brokers", "Brokers the relay has needed, by whether it is connected to them.",
            labels: ["state"])
        webhookAttempts = registry.counter(
            "millrace_webhook_attempts_total", "Attempts to deliver, by outcome.",
            labels: ["subscription", "outcome"])
        webhookAttemptSeconds = registry.histogram(
            "millrace_webhook_attempt_seconds", "How long an attempt to deliver took.",
            labels: ["subscription"])
        deliveryLatency = registry.histogram(
            "millrace_delivery_latency_seconds", "From stored to acknowledged by the other side.",
            labels: ["sink"])
        deadLetters = registry.gauge("millrace_dead_letters", "Events a sink has given up.", labels: ["sink"])
        circuitOpen = registry.gauge(
            "millrace_circuit_open", "1 while a subscription's circuit is open.", labels: ["subscription"])
        httpRequests = registry.counter(
            "millrace_http_requests_total", "Requests to the API, by route and status.",
            labels: ["route", "status"])
        httpStreams = registry.gauge("millrace_http_streams", "Open event streams.")
        httpStreamsDropped = registry.counter(
            "millrace_http_streams_dropped_total",
            "Event streams that were ended because their reader was too slow.")
    }
}
