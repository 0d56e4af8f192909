import TestSupport
import Testing

/// A week of faults by schedule, then quiet: what happened upstream is in the log and at both ends.
/// `SIMULATION_SEED=7` runs the one that failed, `SIMULATION_SEEDS=1000` that many new ones.
@Suite struct SimulationTests {
    @Test(.timeLimit(.minutes(5)), arguments: Seeds.chosen("SIMULATION", usual: 24))
    func whateverFailedEverythingIsEverywhereInTheEnd(seed: UInt64) async throws {
        let findings = try await Simulation(seed: seed).run()
        #expect(findings.isEmpty, "seed \(seed): \(findings)")
    }
}
