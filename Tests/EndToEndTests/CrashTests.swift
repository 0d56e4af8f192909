import Glibc
import TestSupport
import Testing
import VendorSimulator

/// L1, L3: what was acknowledged is in the log, and once, however often the relay is killed while rows flow.
/// Real: SIGKILL on the binary at random moments. Observed: the log and both ends after the last start.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct CrashTests {
    private static let kills = 8

    /// - Parameter seed: decides how long each life is and the vendor's rows; shown when the test fails, `KILL_SEED=7` repeats it
    ///   as far as a real clock allows.
    @Test(arguments: [Seeds.drawn("KILL")])
    func killedAgainAndAgainItLosesNothingAndStoresNothingTwice(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let chain = try Chain { ($0.rate, $0.limit, $0.revise, $0.seed) = (40, 240, 0.3, seed) }
        for _ in 0..<Self.kills {
            let process = try chain.relay.start(["run"])
            // From before the store is open until well into the flow.
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...900, using: &random)))
            process.signal(SIGKILL)
            #expect(try await process.ended() == .killed(signal: SIGKILL))
            try await chain.relay.expectSound()
        }
        let last = try await chain.relay.run()
        try await chain.settled(rows: 5 + 30 + 240)
        #expect(try await Relay.stop(last) == .exited(0))
        chain.expectWholeness(try await chain.relay.events())
        try await chain.relay.expectSound()
    }
}
