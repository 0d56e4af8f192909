import Foundation
import Persisting
import Ports

/// Pages of 1000 as the feed reads them, against the bare query that steps over the same rows and copies their bytes.
struct FeedBenchmark: Benchmark {
    static let name = "feed"
    private static let events = 100_000

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        let path = surroundings.file("feed.db")
        let log = try EventLog(path: path, timekeeper: BenchClock())
        for page in 0..<(Self.events / 1000) {
            _ = try await log.append(BenchRows.page(page * 1000), from: BenchRows.source, position: nil)
        }
        let (reader, bare) = (try LogReader(path: path), try BareFeed(path))
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<5 {
            theirs.append(Double(Self.events) / (try await seconds { try readAll(bare) }))
            ours.append(Double(Self.events) / (try await seconds { try await readAll(reader) }))
        }
        return [
            Measure(
                name: "feed, pages of 1000, against the bare query", ours: median(ours),
                theirs: median(theirs), unit: "events/s", wanted: 0.6)
        ]
    }

    private func readAll(_ reader: LogReader) async throws {
        var (after, count): (Int64, Int) = (0, 0)
        while true {
            let page = try await reader.page(after: after, EventFilter(), limit: 1000, maxBytes: 8 << 20)
            guard page.count > 0 else { break }
            (after, count) = (page.next, count + page.count)
        }
        guard count == Self.events else { throw BenchFailure("the feed has \(count) events") }
    }

    private func readAll(_ bare: BareFeed) throws {
        var (after, count): (Int64, Int) = (0, 0)
        while true {
            let page = try bare.page(after: after, limit: 1000)
            guard page.count > 0 else { break }
            (after, count) = (page.last, count + page.count)
        }
        guard count == Self.events else { throw BenchFailure("the bare feed has \(count) events") }
    }
}
