import EventModel
import Persisting
import Ports

/// Whether a full store is as fast as an empty one: appends, look-ups of known rows, reads as the feed makes them.
struct GrowthBenchmark: Benchmark {
    static let name = "growth"
    private static let tolerance = 0.15
    private static let pages = 30

    private struct Figures {
        let append, lookUp, read: Double
    }

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let path = surroundings.file("growth.db")
        let log = try EventLog(path: path, timekeeper: BenchClock())
        var measures: [Measure] = []
        var (first, filled): (Figures?, Int) = (nil, 0)
        for size in surroundings.sizes {
            while filled < size {
                _ = try await log.append(BenchRows.page(filled), from: BenchRows.source, position: nil)
                filled += 1000
            }
            let figures = try await measure(log, path, &filled)
            measures += rows(figures, against: first, size)
            first = first ?? figures
        }
        return measures
    }

    private func measure(_ log: EventLog, _ path: String, _ filled: inout Int) async throws -> Figures {
        let fresh = (0..<Self.pages).map { BenchRows.page(filled + $0 * 1000) }
        let known = (0..<Self.pages).map { BenchRows.page(filled / Self.pages * $0 / 1000 * 1000) }
        let appends = try await seconds {
            for page in fresh { _ = try await log.append(page, from: BenchRows.source, position: nil) }
        }
        filled += Self.pages * 1000
        let lookUps = try await seconds {
            for page in known {
                let result = try await log.append(page, from: BenchRows.source, position: nil)
                guard result.duplicate == 1000 else { throw BenchFailure("a known row was stored again") }
            }
        }
        // From the store, not from the log's memory of the latest events.
        let reader = try LogReader(path: path)
        let span = Int64(filled)
        let reads = try await seconds {
            for place in 0..<Int64(Self.pages) {
                _ = try await reader.events(after: span / Int64(Self.pages) * place, limit: 1000)
            }
        }
        let rows = Double(Self.pages * 1000)
        return Figures(append: rows / appends, lookUp: rows / lookUps, read: rows / reads)
    }

    private func rows(_ figures: Figures, against first: Figures?, _ size: Int) -> [Measure] {
        [
            ("append", figures.append, first?.append), ("look-up", figures.lookUp, first?.lookUp),
            ("read", figures.read, first?.read),
        ].map { name, ours, theirs in
            Measure(
                name: "\(name) with \(size) events", ours: ours, theirs: theirs, unit: "rows/s",
                tolerance: theirs == nil ? nil : Self.tolerance)
        }
    }
}

/// The wall clock of a benchmark: stands still, so that every run stores the same bytes.
struct BenchClock: Timekeeper {
    var now: Timestamp { Timestamp(seconds: 1_790_000_000) }
    var elapsed: Duration { .zero }
    func sleep(for duration: Duration) async throws(CancellationError) {}
}
