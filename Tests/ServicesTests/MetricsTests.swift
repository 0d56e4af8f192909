import Services
import Testing

/// What Prometheus reads.
@Suite struct MetricsTests {
    @Test func theTextIsExact() async {
        let registry = MetricsRegistry()
        let rows = registry.counter(
            "rows_total", "Rows, by \"result\".\nSecond line \\.", labels: ["source", "result"])
        rows.increment("b", "stored")
        rows.increment("a", "stored", by: 2)
        rows.increment("a", "with \"quotes\", \\ and\nlines")
        registry.gauge("age_seconds", "Age.").set(0.25)
        let took = registry.histogram("took_seconds", "How long.", labels: ["sink"], buckets: [0.5, 1])
        took.observe(.milliseconds(250), "k")
        took.observe(.milliseconds(750), "k")
        took.observe(.seconds(3), "k")
        #expect(
            registry.text == #"""
                # HELP age_seconds Age.
                # TYPE age_seconds gauge
                age_seconds 0.25
                # HELP rows_total Rows, by "result".\nSecond line \\.
                # TYPE rows_total counter
                rows_total{source="a",result="stored"} 2
                rows_total{source="a",result="with \"quotes\", \\ and\nlines"} 1
                rows_total{source="b",result="stored"} 1
                # HELP took_seconds How long.
                # TYPE took_seconds histogram
                took_seconds_bucket{sink="k",le="0.5"} 1
                took_seconds_bucket{sink="k",le="1"} 2
                took_seconds_bucket{sink="k",le="+Inf"} 3
                took_seconds_sum{sink="k"} 4
                took_seconds_count{sink="k"} 3

                """#)
    }

    @Test func oneNameIsOneMetric() {
        let registry = MetricsRegistry()
        registry.counter("a_total", "A.").increment()
        registry.counter("a_total", "A.").increment()
        #expect(registry.text.contains("a_total 2\n"))
    }

    @Test func everyNameOfTheContractIsThere() {
        let metrics = RelayMetrics()
        let text = metrics.registry.text
        for name in [
            "millrace_source_rows_total", "millrace_source_requests_total", "millrace_source_request_seconds",
            "millrace_source_lag_seconds", "millrace_source_oldest_reading_seconds",
            "millrace_source_drift_total",
            "millrace_log_head_offset", "millrace_log_append_seconds", "millrace_sink_position",
            "millrace_sink_backlog", "millrace_sink_events", "millrace_kafka_records_total",
            "millrace_webhook_attempts_total", "millrace_webhook_attempt_seconds",
            "millrace_delivery_latency_seconds", "millrace_dead_letters", "millrace_circuit_open",
        ] {
            #expect(text.contains("# TYPE \(name) "))
        }
    }
}
