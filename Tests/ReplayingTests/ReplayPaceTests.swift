import Testing

@testable import Replaying

@Suite struct ReplayPaceTests {
    @Test func aRateIsKeptInTenthsOfASecond() {
        #expect(ReplayPace(rate: 500).batch(atMost: 256) == 50)
        #expect(ReplayPace(rate: 3).batch(atMost: 256) == 1)
        #expect(ReplayPace(rate: nil).batch(atMost: 256) == 256)
        #expect(ReplayPace(rate: 100).wait(afterSending: 50, in: .milliseconds(200)) == .milliseconds(300))
        #expect(ReplayPace(rate: 100).wait(afterSending: 50, in: .seconds(2)) == .zero)
        #expect(ReplayPace(rate: nil).wait(afterSending: 50, in: .zero) == .zero)
    }

    @Test func whatWasNotSentWhileItStoodStillIsNotMadeUpFor() {
        let pace = ReplayPace(rate: 10)
        let begun = pace.begun(.seconds(5), afterSending: 100, at: .seconds(3600))
        let wait = pace.wait(afterSending: 101, in: .seconds(3600) - begun)
        #expect(wait > .milliseconds(99) && wait < .milliseconds(101))
        #expect(pace.begun(.seconds(5), afterSending: 100, at: .milliseconds(15_500)) == .seconds(5))
        #expect(
            ReplayPace(rate: nil).begun(.seconds(5), afterSending: 100, at: .seconds(3600)) == .seconds(5))
    }

    @Test func hardlyAnyRateIsAYearsWaitAndNoTrap() {
        let pace = ReplayPace(rate: 1e-20)
        #expect(pace.wait(afterSending: 1, in: .zero) == .seconds(365 * 86_400))
    }

    @Test func pausesDoubleUpToAMinute() {
        #expect(ReplayPace.pause(afterFailures: 1, draw: 0.5) == .seconds(1))
        #expect(ReplayPace.pause(afterFailures: 3, draw: 0.5) == .seconds(4))
        #expect(ReplayPace.pause(afterFailures: 50, draw: 0.5) == .seconds(60))
        #expect(ReplayPace.pause(afterFailures: 1, draw: 0) == .milliseconds(800))
    }
}
