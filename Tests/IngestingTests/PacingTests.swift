import EventModel
import TestSupport
import Testing

@testable import Ingesting

/// The pure parts that say when: rate, backoff, the vendor's clock.
struct PacingTests {
    @Test(arguments: UInt64(1)...20)
    func requestsAreNeverCloserThanTheInterval(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limiter = RateLimiter(perSecond: 4)
        var (now, last): (Duration, Duration?) = (.zero, nil)
        for _ in 0..<200 {
            now += .milliseconds(Int.random(in: 0...600, using: &random))
            if Int.random(in: 0..<20, using: &random) == 0 { limiter.close(until: now + .seconds(3)) }
            let place = now + limiter.wait(at: now)
            limiter.take(at: place)
            #expect(place >= now)
            if let last { #expect(place - last >= .milliseconds(250), "seed \(seed)") }
            last = place
        }
    }

    @Test func aPauseSavesNoPlacesUp() {
        var limiter = RateLimiter(perSecond: 2)
        limiter.take(at: .zero)
        let later: Duration = .seconds(3600)
        #expect(limiter.wait(at: later) == .zero)
        limiter.take(at: later)
        #expect(limiter.wait(at: later) == .milliseconds(500))
    }

    @Test func aFractionOfARequestASecondIsARate() {
        var limiter = RateLimiter(perSecond: 0.1)
        limiter.take(at: .zero)
        #expect(limiter.wait(at: .zero) == .seconds(10))
    }

    @Test func nobodyGetsAPlaceWhileItIsClosed() {
        var limiter = RateLimiter(perSecond: 1)
        limiter.close(until: .seconds(60))
        limiter.close(until: .seconds(30))
        #expect(limiter.wait(at: .seconds(10)) == .seconds(50))
        #expect(limiter.wait(at: .seconds(60)) == .zero)
    }

    @Test func waitsDoubleUpToALimit() {
        var backoff = Backoff()
        let waits = (0..<9).map { _ in backoff.failed(draw: 1) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        for _ in 0..<1000 { #expect(backoff.failed(draw: 0) == .seconds(30)) }
    }

    @Test(arguments: [(0.0, 500), (0.5, 750), (1.0, 1000)])
    func jitterDrawsBetweenHalfAndAll(draw: Double, milliseconds: Int) {
        var backoff = Backoff()
        #expect(backoff.failed(draw: draw) == .milliseconds(milliseconds))
    }

    @Test func successStartsOver() {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(4))
        #expect(backoff.succeeded() == false)
        _ = backoff.failed(draw: 1)
        #expect(backoff.failed(draw: 1) == .seconds(1))
        #expect(backoff.succeeded() == true)
        #expect(backoff.failed(draw: 1) == .milliseconds(500))
    }

    @Test func theVendorsTimeRunsOnFromItsLatestReply() {
        var clock = VendorClock()
        let own = Timestamp(seconds: 1000)
        #expect(clock.now(own, elapsed: .seconds(5)) == own)
        clock.saw(Timestamp(seconds: 900), at: .seconds(5))
        #expect(clock.now(own, elapsed: .seconds(5)) == Timestamp(seconds: 900))
        #expect(clock.now(own + .seconds(30), elapsed: .seconds(35)) == Timestamp(seconds: 930))
        clock.saw(Timestamp(seconds: 5000), at: .seconds(35))
        #expect(clock.now(own, elapsed: .seconds(35)) == own)
    }

    @Test func anOwnClockThatIsSetForwardChangesNothing() {
        var clock = VendorClock()
        clock.saw(Timestamp(seconds: 1000), at: .zero)
        #expect(clock.now(Timestamp(seconds: 99_000), elapsed: .seconds(10)) == Timestamp(seconds: 1010))
    }
}
