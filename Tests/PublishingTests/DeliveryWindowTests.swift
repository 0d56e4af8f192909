import Persisting
import TestSupport
import Testing

@testable import Publishing

/// Pins promise L4: the position never passes an offset that is not settled.
@Suite struct DeliveryWindowTests {
    @Test func positionFollowsWhenEverythingBelowIsSettled() {
        var window = DeliveryWindow(SinkProgress(position: 10))
        for offset in Int64(11)...15 { window.took(offset) }
        window.settled(12)
        window.settled(14)
        #expect(window.progress == SinkProgress(position: 10, settled: [12...12, 14...14]))
        window.settled(13)
        #expect(window.progress == SinkProgress(position: 10, settled: [12...14]))
        window.settled(11)
        #expect(window.progress == SinkProgress(position: 14))
        window.settled(15)
        #expect(window.progress.position == 15 && window.taken == 15)
    }

    @Test func settlingTwiceChangesNothing() {
        var window = DeliveryWindow(SinkProgress(position: 0))
        window.settled(2)
        let once = window
        window.settled(2)
        #expect(window == once)
        window.settled(1)
        window.settled(1)
        #expect(window.progress == SinkProgress(position: 2))
    }

    @Test func whatWasSettledBeforeARestartIsKnown() {
        let window = DeliveryWindow(SinkProgress(position: 3, settled: [6...8]))
        let known = (1...9).filter { window.isSettled(Int64($0)) }
        #expect(known == [1, 2, 3, 6, 7, 8])
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func randomOrdersAgreeWithASetOfOffsets(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var window = DeliveryWindow(SinkProgress(position: 0))
        var settled: Set<Int64> = []
        for offset in (Int64(1)...60).shuffled(using: &random) {
            window.settled(offset)
            settled.insert(offset)
            let position = (Int64(0)...60).first { !settled.contains($0 + 1) } ?? 60
            #expect(window.progress.position == position, "seed \(seed)")
            let above = window.progress.settled.flatMap { Array($0) }
            #expect(Set(above) == settled.filter { $0 > position }, "seed \(seed)")
            #expect(above == above.sorted(), "seed \(seed)")
        }
        #expect(window.progress == SinkProgress(position: 60), "seed \(seed)")
    }
}

/// Pins when a failed delivery is tried again.
@Suite struct RetryScheduleTests {
    @Test func fixedScheduleIsWalkedAndThenSpent() {
        let schedule = RetrySchedule(.fixed([.seconds(5), .seconds(300)]), jitter: 0)
        let waits = (1...3).map { schedule.wait(afterAttempts: $0, since: .zero, draw: 0.7) }
        #expect(waits == [.seconds(5), .seconds(300), nil])
    }

    @Test(arguments: [(0.0, 80), (0.5, 100), (1.0, 120)]) func jitterIsAShareBothWays(
        draw: Double, seconds: Int
    ) {
        let schedule = RetrySchedule(.fixed([.seconds(100)]), jitter: 0.2)
        #expect(schedule.wait(afterAttempts: 1, since: .zero, draw: draw) == .seconds(seconds))
    }

    @Test func formulaGrowsToItsMaximumAndGivesUpInTime() {
        let schedule = RetrySchedule(
            .exponential(initial: .seconds(1), factor: 2, max: .seconds(10), giveUpAfter: .seconds(100)),
            jitter: 0)
        let waits = (1...6).map { schedule.wait(afterAttempts: $0, since: .zero, draw: 0.5) }
        #expect(waits == [1, 2, 4, 8, 10, 10].map { .seconds($0) })
        #expect(schedule.wait(afterAttempts: 50, since: .seconds(95), draw: 0.5) == nil)
        #expect(schedule.wait(afterAttempts: 50, since: .seconds(90), draw: 0.5) == .seconds(10))
    }

    @Test func emptyScheduleIsOneAttempt() {
        #expect(RetrySchedule(.fixed([]), jitter: 0.2).wait(afterAttempts: 1, since: .zero, draw: 0.5) == nil)
    }
}
