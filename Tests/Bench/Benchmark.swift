import Foundation

/// One thing that is measured, beside what the same machine allows in the same run. To add one: a file with a type like
/// this, a line in `Bench.benchmarks`.
protocol Benchmark: Sendable {
    /// The word that selects it on the command line.
    static var name: String { get }
    init()
    func run(_ surroundings: Surroundings) async throws -> [Measure]
}

/// What a benchmark is given.
struct Surroundings: Sendable {
    /// A folder of the run's own, on the disk that counts.
    let folder: String
    /// The relay's binary.
    let binary: String
    /// How many events the store grows to, ascending; the first is what the others are held against.
    let sizes: [Int]
    /// How many deliveries are under way at once, for what is measured at several.
    let concurrencies: [Int]

    func file(_ name: String) -> String { folder + "/" + name }
}

/// One row of the table.
struct Measure: Codable, Sendable {
    let name: String
    let ours: Double
    /// The other side of the ratio; nil where there is nothing to compare with.
    var theirs: Double?
    let unit: String
    /// The least ratio of ours to theirs that is good enough.
    var wanted: Double?
    /// A share by which the ratio may differ from 1 on either side; for what should not change.
    var tolerance: Double?

    var ratio: Double? { theirs.flatMap { $0 > 0 ? ours / $0 : nil } }

    var isGood: Bool {
        guard let ratio else { return true }
        if let wanted, ratio < wanted { return false }
        if let tolerance, ratio < 1 - tolerance { return false }
        return true
    }
}

/// Elapsed seconds of a body.
func seconds(_ body: () async throws -> Void) async throws -> Double {
    let clock = ContinuousClock()
    let took = try await clock.measure { try await body() }
    return took / .seconds(1)
}

/// The middle one of several figures.
func median(_ figures: [Double]) -> Double {
    figures.sorted()[figures.count / 2]
}

extension Process {
    /// Begins it with no signal blocked: the threads of Swift's pool block them, a child inherits that, and neither it nor
    /// its own children would ever hear a SIGTERM.
    func runHearing() throws {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}

/// A failure of the benchmark itself.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
