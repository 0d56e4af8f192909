import Testing

/// `millrace demo`: the whole chain in one process, from a vendor with bad days.
@Suite(.timeLimit(.minutes(2)))
struct DemoTests {
    @Test func theDemoEndsWithItsVerdict() async throws {
        let finished = try await Millrace.run(["demo", "--seconds", "2"], within: .seconds(90))
        #expect(finished.exitCode == 0, "\(finished.output)\(finished.errors)")
        #expect(finished.lines.last == "Every event arrived at both ends exactly once.")
        #expect(finished.lines.contains { $0.hasPrefix("kafka ") && $0.contains("visit.recorded") })
        #expect(finished.lines.contains { $0.hasPrefix("webhook ") && $0.contains("visit.recorded") })
    }
}
