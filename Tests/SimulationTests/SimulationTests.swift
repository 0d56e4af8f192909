import TestSupport
import Testing

/// Days of faults by schedule, then quiet ones: what happened upstream is in the log and at every end.
/// `SIMULATION_SEED=7` runs the one that failed, `SIMULATION_SEEDS=1000` that many new ones.
@Suite struct SimulationTests {
    /// Two at a time, however many there are.
    private static let turns = {
        let seeds = Seeds.chosen("SIMULATION", usual: 200)
        let middle = seeds.count / 2
        return [Array(seeds[..<middle]), Array(seeds[middle...])].filter { !$0.isEmpty }
    }()

    @Test(arguments: turns) func whateverFailedEverythingIsEverywhereInTheEnd(seeds: [UInt64]) async throws {
        for seed in seeds {
            let findings = try await Simulation(seed: seed).run()
            #expect(findings.isEmpty, "SIMULATION_SEED=\(seed): \(findings)")
        }
    }

    /// A relay with everything running is cut off at its n-th write, for every n until it survives: some of them here, all of
    /// them by `make soak`.
    @Test(arguments: [FaultSchedule.End.Way.killed, .tornWrite, .powerLost])
    func cutOffAtAnyWriteEverythingIsEverywhereInTheEnd(way: FaultSchedule.End.Way) async throws {
        let step = Int64(Seeds.isSoaking("SIMULATION") ? 1 : 53)
        var write: Int64 = 1
        while true {
            let simulation = try Simulation(seed: 1, cut: .init(way: way, write: write))
            let findings = try await simulation.run()
            #expect(findings.isEmpty, "\(way) at write \(write): \(findings)")
            if simulation.survived { break }
            write += write < 40 ? 1 : step
        }
        #expect(write > 1000)
    }

    /// What failed once fails again: everything is done by one thread in one order, by a clock and random numbers of the seed.
    @Test func sameSeedMeetsTheSameFateAgain() async throws {
        let seed = UInt64(2026)
        let (first, second) = (try Simulation(seed: seed), try Simulation(seed: seed))
        _ = try await first.run()
        _ = try await second.run()
        #expect(first.relay.story == second.relay.story)
        #expect(first.relay.story.count > 500)
    }
}
