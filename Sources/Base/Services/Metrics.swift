import Synchronization

/// Everything the relay counts and measures, written as Prometheus text.
///
/// A metric is made once, by name, with its label names; asking again for the same name and labels gives the same metric, so
/// that parts which come and go (a reloaded source) go on counting. Metrics are cheap to update from any thread.
package final class MetricsRegistry: Sendable {
    private let metrics = Mutex<[String: Metric]>([:])

    package init() {}

    /// A number that only grows; its name ends in `_total`.
    package func counter(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        metric(name, help, .counter, labels, buckets: [])
    }

    /// A number that goes up and down.
    package func gauge(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        metric(name, help, .gauge, labels, buckets: [])
    }

    /// How often values fell below each bound, in seconds.
    package func histogram(
        _ name: String, _ help: String, labels: [String] = [], buckets: [Double] = Metric.seconds
    ) -> Metric {
        metric(name, help, .histogram, labels, buckets: buckets)
    }

    /// The text of all metrics, sorted by name (exposition format 0.0.4).
    package var text: String {
        metrics.withLock { Array($0.values) }.sorted { $0.name < $1.name }.map(\.text).joined()
    }

    private func metric(
        _ name: String, _ help: String, _ kind: Metric.Kind, _ labels: [String], buckets: [Double]
    ) -> Metric {
        metrics.withLock { metrics in
            if let known = metrics[name] {
                precondition(known.kind == kind && known.labels == labels, "\(name) is made in two ways")
                return known
            }
            let metric = Metric(name: name, help: help, kind: kind, labels: labels, buckets: buckets)
            metrics[name] = metric
            return metric
        }
    }
}

/// One metric with all its series; a series is one set of label values.
package final class Metric: Sendable {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private struct Series {
        var value = 0.0
        var count = 0
        var buckets: [Int] = []
    }

    /// From a fast disk to a slow vendor.
    package static let seconds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// Label values that come from outside must not grow without bound: further series are not kept.
    static let maxSeries = 10_000

    let name: String
    let kind: Kind
    let labels: [String]
    private let help: String
    private let bounds: [Double]
    private let series = Mutex<[[String]: Series]>([:])

    init(name: String, help: String, kind: Kind, labels: [String], buckets: [Double]) {
        (self.name, self.help, self.kind, self.labels, bounds) = (name, help, kind, labels, buckets)
        // A metric without labels is there from the start, so that nobody takes "nothing yet" for "not there".
        if labels.isEmpty { update([]) { _ in } }
    }

    package func increment(_ values: String..., by amount: Double = 1) {
        update(values) { $0.value += amount }
    }

    package func set(_ value: Double, _ values: String...) {
        update(values) { $0.value = value }
    }

    /// Adds a value to a histogram, as often as it came.
    package func observe(_ duration: Duration, times: Int = 1, _ values: String...) {
        let seconds = duration / .seconds(1)
        update(values) { [bounds] series in
            series.value += seconds * Double(times)
            series.count += times
            for (place, bound) in bounds.enumerated() where seconds <= bound {
                series.buckets[place] += times
            }
        }
    }

    /// Forgets every series, before a refresher sets those that there are now.
    package func clear() {
        series.withLock { $0 = [:] }
    }

    private func update(_ values: [String], _ change: (inout Series) -> Void) {
        precondition(values.count == labels.count, "\(name) has \(labels.count) labels")
        series.withLock { series in
            if series[values] == nil {
                guard series.count < Self.maxSeries else { return }
                series[values] = Series(buckets: [Int](repeating: 0, count: bounds.count))
            }
            change(&series[values, default: Series()])
        }
    }

    var text: String {
        let sorted = series.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let lines = sorted.map {
            kind == .histogram ? histogram($0.key, $0.value) : line("", $0.key, $0.value.value)
        }
        return "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
            + lines.joined()
    }

    private func histogram(_ values: [String], _ series: Series) -> String {
        let buckets = zip(bounds, series.buckets).map {
            line("_bucket", values, Double($1), le: Self.number($0))
        }
        return buckets.joined() + line("_bucket", values, Double(series.count), le: "+Inf")
            + line("_sum", values, series.value) + line("_count", values, Double(series.count))
    }

    private func line(_ suffix: String, _ values: [String], _ value: Double, le: String? = nil) -> String {
        let pairs =
            zip(labels, values).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            + (le.map { ["le=\"\($0)\""] } ?? [])
        return
            "\(name)\(suffix)\(pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}") \(Self.number(value))\n"
    }

    /// Whole numbers without a fraction.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
