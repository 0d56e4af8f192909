import EventModel
import Testing
import VendorSimulator

/// A world that goes on while it is read. Real: the simulator behind its HTTP server; the test moves the
/// clock.
@Suite(.timeLimit(.minutes(1)))
struct LiveTests {
    @Test func whatIsServedIsTheTruthOfThatInstant() throws {
        let client = try SimulatorClient {
            ($0.rows, $0.rate, $0.late, $0.revise, $0.seed) = (30, 4, 0.3, 0.3, 11)
        }
        var sizes: [Int] = []
        for _ in 0..<6 {
            let rows = try #require(try client.page(size: 500).data).list
            #expect(rows == client.simulator.truth(at: client.clock.now).map(\.visit))
            sizes.append(rows.count)
            client.clock.advance(by: .milliseconds(7300))
        }
        #expect(sizes == sizes.sorted() && Set(sizes).count == sizes.count)
    }

    @Test func aStoppedSimulatorAnswersNoMore() throws {
        let client = try SimulatorClient()
        #expect(try client.page().code == 0)
        client.simulator.stop()
        client.simulator.stop()
        #expect(throws: (any Error).self) { _ = try client.post() }
    }
}
