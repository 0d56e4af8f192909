import Glibc
import Testing
import VendorSimulator

/// `millrace events --follow`, beside a running relay.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct FollowTests {
    @Test func aFollowerPrintsEventsAsTheyComeAndEndsWithItsReader() async throws {
        let vendor = try VendorSimulator.started { ($0.rows, $0.rate) = (0, 5) }
        defer { vendor.stop() }
        let relay = try Relay(RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)]))
        let process = try await relay.run()
        try await eventually("the sample is in the log") { try await relay.events().count >= 5 }
        let follower = try relay.start(["events", "--follow", "--after", "3"])
        try await eventually("what was there is printed") { follower.output.lines.count >= 2 }
        let seen = follower.output.lines.count
        try await eventually("new events are printed") { follower.output.lines.count >= seen + 5 }
        #expect(follower.result == nil)
        let printed = follower.output.lines
        #expect(try await relay.events().dropFirst(3).prefix(printed.count).map(\.bytes) == printed)
        follower.output.close()
        try await eventually("the follower ends", within: .seconds(10)) { follower.result != nil }
        #expect(follower.result == .exited(0))
        #expect(follower.errors.text.isEmpty)
        #expect(try await Relay.stop(process) == .exited(0))
    }

    @Test func aFollowerWithALimitEndsWithIt() async throws {
        let vendor = try VendorSimulator.started { ($0.rows, $0.rate) = (0, 5) }
        defer { vendor.stop() }
        let relay = try Relay(RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)]))
        let process = try await relay.run()
        try await eventually("the sample is in the log") { try await relay.events().count >= 5 }
        let finished = try await relay.command("events", "--follow", "--limit", "8", "--type", "visit.*")
        #expect(finished.exitCode == 0)
        #expect(try finished.lines.map { try LogEvent(Array($0.utf8)).offset } == Array(1...8))
        #expect(try await Relay.stop(process) == .exited(0))
    }
}
