import Foundation
import Persisting
import Ports

/// The log against bare SQLite that inserts the same rows into the same tables, in the same batches, as durably.
struct AppendBenchmark: Benchmark {
    static let name = "append"
    private static let pages = 60

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        var (ours, alone, theirs): ([Double], [Double], [Double]) = ([], [], [])
        // Side by side in turns: what else the machine does meets both.
        for turn in 0..<3 {
            let first = turn * Self.pages * 1000
            theirs.append(try await bare(surroundings.file("bare-\(turn).db"), first))
            ours.append(try await log(surroundings.file("log-\(turn).db"), first))
            alone.append(try await pageByPage(surroundings.file("alone-\(turn).db"), first))
        }
        return [
            Measure(
                name: "append, pages of 1000, against bare SQLite", ours: median(ours),
                theirs: median(theirs), unit: "rows/s", wanted: 0.6),
            Measure(
                name: "append, each page prepared after the one before it is stored", ours: median(alone),
                theirs: median(theirs), unit: "rows/s"),
        ]
    }

    private func pageByPage(_ path: String, _ first: Int) async throws -> Double {
        let log = try EventLog(path: path, timekeeper: BenchClock())
        let pages = (0..<Self.pages).map { BenchRows.page(first + $0 * 1000) }
        let took = try await seconds {
            for page in pages {
                _ = try await log.append(
                    page, from: BenchRows.source, position: SourcePosition(state: "x", watermark: nil))
            }
        }
        return Double(Self.pages * 1000) / took
    }

    private func log(_ path: String, _ first: Int) async throws -> Double {
        let log = try EventLog(path: path, timekeeper: BenchClock())
        let pages = (0..<Self.pages).map { BenchRows.page(first + $0 * 1000) }
        let took = try await seconds {
            // As a source does it: the next page is prepared while one is stored.
            var next = log.prepared(pages[0])
            for number in pages.indices {
                let page = next
                async let stored = log.append(
                    page, from: BenchRows.source, position: SourcePosition(state: "x", watermark: nil))
                if number + 1 < pages.count { next = log.prepared(pages[number + 1]) }
                _ = try await stored
            }
        }
        return Double(Self.pages * 1000) / took
    }

    private func bare(_ path: String, _ first: Int) async throws -> Double {
        let store = try BareStore(path)
        // Bytes of the same number under keys of the same order.
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 870)
        let took = try await seconds {
            for page in 0..<Self.pages {
                try store.insert(page: first + page * 1000, count: 1000, body: body)
            }
        }
        return Double(Self.pages * 1000) / took
    }
}
