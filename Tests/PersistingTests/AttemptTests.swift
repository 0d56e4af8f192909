import EventModel
import TestSupport
import Testing

@testable import Persisting

/// Pins what is kept of attempts, and for how long.
@Suite struct AttemptTests {
    private static func success(_ number: Int, at time: Timestamp, answer: [UInt8] = []) -> AttemptRecord {
        AttemptRecord(
            offset: Int64(number), webhookID: "evt_\(number)", time: time, attempt: 1, status: 204,
            duration: .microseconds(1234), failure: nil, reason: nil, answer: answer)
    }

    @Test func chunkRoundTripsAndACutOneReadsAsWhatIsWhole() {
        let attempts = (0..<5).map {
            Self.success(
                $0, at: Timestamp(milliseconds: -5 + Int64($0)),
                answer: [UInt8](repeating: 7, count: $0 * 1000))
        }
        let bytes = SuccessChunk.encode(attempts)
        #expect(SuccessChunk.decode(bytes) == attempts)
        for cut in stride(from: 0, to: bytes.count, by: 97) {
            let read = SuccessChunk.decode(Array(bytes.prefix(cut)))
            #expect(read == Array(attempts.prefix(read.count)))
        }
    }

    @Test func theLastThousandSuccessesAndAWeekOfFailuresAreKept() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.openSink("s", from: .beginning)
        for chunk in 0..<30 {
            var update = SinkUpdate(progress: SinkProgress(position: 0))
            update.successes = (0..<100).map { Self.success(chunk * 100 + $0, at: fixture.clock.now) }
            update.failures = [
                AttemptRecord(
                    offset: Int64(chunk), webhookID: "evt_x", time: fixture.clock.now, attempt: 1,
                    status: nil,
                    duration: .seconds(15), failure: "timeout", reason: "timed out", answer: [])
            ]
            try await log.settle([("s", update)], now: fixture.clock.now)
            fixture.clock.advance(by: .seconds(86_400))
        }
        #expect(try await log.pruneAttempts(now: fixture.clock.now) > 0)
        let kept = try await log.attempts(of: "s", limit: 5000)
        #expect(kept.count { $0.failure == nil } == 1000)
        #expect(kept.filter { $0.failure != nil }.map(\.offset) == (23..<30).reversed().map(Int64.init))
        #expect(kept.first { $0.failure == nil }?.offset == 2999)
    }

    @Test func noticeIsAnEventOfTheLogInTheSameTransaction() async throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        _ = try await log.append(LogFixture.rows(0..<2), from: fixture.source, position: nil)
        _ = try await log.openSink("s", from: .beginning)
        var update = SinkUpdate(progress: SinkProgress(position: 0))
        update.notices = [
            SubscriptionNotice(
                .disabled, relay: "acme", id: "sub_1", name: "n", url: "https://example.com/", reason: "410",
                since: fixture.clock.now)
        ]
        try await log.settle([("s", update)], now: fixture.clock.now)
        let event = try #require(try await log.events(after: 2, limit: 1).first)
        #expect(event.offset == 3 && event.account == nil && event.key == "subscription/sub_1")
        #expect(event.type == "millrace.subscription.disabled")
        let text = String(decoding: event.body, as: UTF8.self)
        #expect(
            text.contains(#""source":"/acme/millrace""#)
                && text.contains(#""sequence":"00000000000000000003""#))
        _ = try await log.append(LogFixture.rows(2..<3), from: fixture.source, position: nil)
        #expect(log.head == 4)
    }
}
