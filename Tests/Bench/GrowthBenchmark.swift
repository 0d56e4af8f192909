import EventModel
import Persisting
import Ports
import Replaying
import Services
import Synchronization

/// Whether a full store is as fast as an empty one: appends, look-ups of known rows, reads of the feed, replays. Both are
/// measured in turns, so that what else the machine does meets both.
struct GrowthBenchmark: Benchmark {
    static let name = "growth"
    private static let tolerance = 0.15
    private static let pages = 10
    private static let turns = 5

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        var measures: [Measure] = []
        let small = try GrowingStore(surroundings.file("small.db"))
        let large = try GrowingStore(surroundings.file("large.db"))
        for size in surroundings.sizes {
            try await small.fill(to: surroundings.sizes[0])
            try await large.fill(to: size)
            var (ours, theirs): ([GrowingStore.Figures], [GrowingStore.Figures]) = ([], [])
            for _ in 0..<Self.turns {
                theirs.append(try await small.measure(pages: Self.pages))
                ours.append(try await large.measure(pages: Self.pages))
            }
            guard size > surroundings.sizes[0] else { continue }
            measures += Self.rows(ours, theirs, "\(size) events against \(surroundings.sizes[0])")
        }
        return measures
    }

    private static func rows(
        _ ours: [GrowingStore.Figures], _ theirs: [GrowingStore.Figures], _ what: String
    ) -> [Measure] {
        let kinds: [(String, KeyPath<GrowingStore.Figures, Double>)] = [
            ("append", \.append), ("look-up", \.lookUp), ("feed", \.feed), ("replay", \.replay),
        ]
        return kinds.map { name, figure in
            Measure(
                name: "\(name), \(what)", ours: median(ours.map { $0[keyPath: figure] }),
                theirs: median(theirs.map { $0[keyPath: figure] }), unit: "rows/s", tolerance: tolerance)
        }
    }
}

/// A log of so many events, and what can be done with them in a second.
final class GrowingStore {
    struct Figures {
        let append, lookUp, feed, replay: Double
    }

    private let path: String
    private let log: EventLog
    private var filled = 0
    private var replays = 0
    /// A page takes a millisecond or less: few of them would measure the machine's mood. As many pages one behind the other as
    /// a small store has, again and again: what lies in the processor's memory is then the same for both.
    private static let reads = 200

    init(_ path: String) throws {
        self.path = path
        log = try EventLog(path: path, timekeeper: BenchClock())
    }

    func fill(to size: Int) async throws {
        while filled < size {
            _ = try await log.append(BenchRows.page(filled), from: BenchRows.source, position: nil)
            filled += 1000
        }
    }

    func measure(pages: Int) async throws -> Figures {
        let fresh = (0..<pages).map { BenchRows.page(filled + $0 * 1000) }
        let known = (0..<pages).map { BenchRows.page(filled / pages * $0 / 1000 * 1000) }
        let appends = try await seconds {
            for page in fresh { _ = try await log.append(page, from: BenchRows.source, position: nil) }
        }
        filled += pages * 1000
        let lookUps = try await seconds {
            for page in known {
                let result = try await log.append(page, from: BenchRows.source, position: nil)
                guard result.duplicate == 1000 else { throw BenchFailure("a known row was stored again") }
            }
        }
        // From the store, not from the log's memory of the latest events.
        let reader = try LogReader(path: path)
        let middle = Int64(filled / 2)
        let reads = try await seconds {
            for place in 0..<Int64(Self.reads) {
                let page = try await reader.page(
                    after: middle + place % Int64(pages) * 1000, EventFilter(), limit: 1000, maxBytes: .max)
                guard page.count == 1000 else { throw BenchFailure("the feed gave less than was asked") }
            }
        }
        let replayed = try await seconds { try await replay(from: Int64(filled / 4), pages * 500) }
        let rows = Double(pages * 1000)
        return Figures(
            append: rows / appends, lookUp: rows / lookUps, feed: Double(Self.reads * 1000) / reads,
            replay: rows / 2 / replayed)
    }

    /// To somebody who takes everything at once: what is left is reading, and keeping the position.
    private func replay(from offset: Int64, _ count: Int) async throws {
        let target = TakingTarget()
        let keeper = try ReplayKeeper(
            log, targets: { _ in target }, timekeeper: BenchClock(), draw: { 0.5 }, logger: .silent)
        let running = Task { try await keeper.run() }
        replays += 1
        try await keeper.submit(
            ReplayRecord(
                id: "rpl_\(replays)", target: "bench", first: offset, until: offset + Int64(count),
                types: [NamePattern("*")].compactMap { $0 }, rate: nil, topic: nil, who: "bench",
                created: BenchClock().now))
        await target.whenClosed()
        await keeper.stop()
        try await running.value
        guard target.taken == count else {
            throw BenchFailure("a replay of \(count) brought \(target.taken)")
        }
    }
}

/// Where a replay goes that costs nothing on the other side.
private final class TakingTarget: ReplayTarget {
    private let count = Atomic(0)
    private let closed: AsyncStream<Void>
    private let ending: AsyncStream<Void>.Continuation

    init() {
        (closed, ending) = AsyncStream.makeStream()
    }

    var taken: Int { count.load(ordering: .relaxed) }
    var batchLimit: Int { 1000 }

    func open() async -> Bool { true }

    func deliver(_ events: [StoredEvent]) async -> ReplayAnswer {
        count.add(events.count, ordering: .relaxed)
        return .settled(events.map { _ in .accepted })
    }

    func close() async {
        ending.finish()
    }

    func whenClosed() async {
        for await _ in closed {}
    }
}

/// The wall clock of a benchmark: stands still, so that every run stores the same bytes.
struct BenchClock: Timekeeper {
    var now: Timestamp { Timestamp(seconds: 1_790_000_000) }
    var elapsed: Duration { .zero }
    func sleep(for duration: Duration) async throws(CancellationError) {}
}
