import EventModel
import TestSupport

/// What fails when, all of it decided by the seed before the first second: good hours and bad ones alternate, for each
/// part by itself, until the faults stop.
struct FaultSchedule: Sendable {
    /// One bad time of one part.
    struct Trouble: Sendable {
        let from: Duration
        let until: Duration
        /// Which of its ways to fail; the part makes it its own.
        let way: Int
    }

    /// How the process ends, each time.
    struct End: Sendable {
        enum Way: Sendable, CaseIterable {
            case stopped, killed, tornWrite, powerLost
        }

        let at: Duration
        let way: Way
        /// How many writes are still made after the time has come.
        let writes: Int64
    }

    static let hour: Duration = .seconds(3600)
    /// As long as rows happen, everything fails.
    private static let faults = World.days.rows

    let world: World
    let vendor, kafka, transactions, disk: [Trouble]
    /// Of one endpoint after the other.
    let endpoints: [[Trouble]]
    let ends: [End]
    /// When somebody asks for a replay.
    let replay: Duration

    /// Nothing fails but what somebody else breaks.
    static func calm(_ world: World) -> FaultSchedule {
        FaultSchedule(calm: world)
    }

    private init(calm world: World) {
        self.world = world
        (vendor, kafka, transactions, disk, ends) = ([], [], [], [], [])
        endpoints = SimulatedRelay.hooks.map { _ in [] }
        replay = world.rows / 2
    }

    init(seed: UInt64) {
        world = .days
        var random = SeededGenerator(seed: seed)
        vendor = Self.troubles(good: 1...20, bad: 1...180, &random)
        kafka = Self.troubles(good: 1...20, bad: 1...200, &random)
        transactions = Self.troubles(good: 1...20, bad: 1...200, &random)
        endpoints = (0..<SimulatedRelay.hooks.count).map { _ in
            Self.troubles(good: 1...12, bad: 1...240, &random)
        }
        disk = Self.troubles(good: 10...60, bad: 1...60, &random)
        var (ends, at): ([End], Duration) = ([], .zero)
        while true {
            at += Self.hour * Double.random(in: 0.05...24, using: &random)
            guard at < Self.faults else { break }
            ends.append(
                End(
                    at: at, way: .allCases.randomElement(using: &random) ?? .killed,
                    writes: Int64.random(in: 1...6, using: &random)))
        }
        self.ends = ends
        // Now and then right before the disk fails: a replay is short.
        let isUnlucky = Bool.random(using: &random)
        let anyHour = Self.hour * Double.random(in: 12...60, using: &random)
        replay = isUnlucky ? disk.last.map { $0.from - .seconds(1) } ?? anyHour : anyHour
    }

    static func trouble(_ list: [Trouble], at time: Duration) -> Trouble? {
        list.first { $0.from <= time && time < $0.until }
    }

    /// - Parameters:
    ///   - good: hours.
    ///   - bad: minutes.
    private static func troubles(
        good: ClosedRange<Double>, bad: ClosedRange<Double>, _ random: inout SeededGenerator
    ) -> [Trouble] {
        var (list, at): ([Trouble], Duration) = ([], .zero)
        while true {
            let from = at + hour * Double.random(in: good, using: &random)
            let until = from + .seconds(60) * Double.random(in: bad, using: &random)
            guard until < faults else { return list }
            list.append(Trouble(from: from, until: until, way: Int.random(in: 0..<100, using: &random)))
            at = until
        }
    }
}
