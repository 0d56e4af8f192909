import EventModel
import Ports
import TestSupport
import Testing

@testable import Persisting

/// Random pages against an obvious model: a dictionary of identities with their revisions. The seed is printed on failure.
@Suite struct LogModelTests {
    private struct Known {
        var revision: Int
        var content: Int
        var raw: Int
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func randomPagesEndAsTheModelSays(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try LogFixture()
        var open: EventLog? = try fixture.open()
        var model: [Int: Known] = [:]
        var expected: [(identity: Int, revision: Int)] = []
        for step in 0..<120 {
            var rows: [LogRow] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let identity = Int.random(in: 0..<40, using: &random)
                let content = Int.random(in: 0..<3, using: &random)
                let raw = Int.random(in: 0..<3, using: &random)
                rows.append(LogFixture.row("id-\(identity)", content: "\(content)", raw: "\(raw)"))
                guard var known = model[identity] else {
                    model[identity] = Known(revision: 1, content: content, raw: raw)
                    expected.append((identity, 1))
                    continue
                }
                if known.content != content, known.raw != raw {
                    known.revision += 1
                    expected.append((identity, known.revision))
                }
                (known.content, known.raw) = (content, raw)
                model[identity] = known
            }
            fixture.clock.advance(by: .seconds(1))
            let position = LogFixture.position("\(step)")
            let log = try #require(open)
            _ = try await log.append(rows, from: fixture.source, position: position)
            #expect(try await log.position(of: fixture.source) == position, "seed \(seed)")
        }
        // The lock goes with its log: the old one is let go before the store is opened again.
        open = nil
        let events = try await fixture.open().events(after: 0, limit: 100_000)
        #expect(events.map(\.offset) == (0..<expected.count).map { Int64($0 + 1) }, "seed \(seed)")
        for (event, want) in zip(events, expected) {
            let decoded = try DecodedEvent(event)
            #expect(decoded.subject == "unionid/id-\(want.identity)", "seed \(seed)")
            #expect(decoded.revision == Int64(want.revision), "seed \(seed)")
        }
        #expect(Set(events.map(\.id)).count == events.count, "seed \(seed)")
    }
}
