import Testing

@testable import Publishing

/// Pins circuit, throttle and pace by themselves.
@Suite struct PacingTests {
    @Test func tenFailuresInARowOpenAndNineDoNot() {
        var circuit = Circuit()
        for _ in 1...9 {
            let opened = circuit.failed(at: .zero)
            #expect(!opened)
        }
        let wasOpen = circuit.succeeded()
        #expect(!wasOpen)
        for _ in 1...9 {
            let opened = circuit.failed(at: .zero)
            #expect(!opened)
        }
        #expect(circuit.admits(at: .zero))
        let opened = circuit.failed(at: .seconds(1))
        #expect(opened)
        #expect(!circuit.admits(at: .seconds(30)) && circuit.admits(at: .seconds(31)))
    }

    @Test func openCircuitAdmitsOneProbeEveryThirtySeconds() {
        var circuit = Circuit(isOpen: true)
        #expect(circuit.admits(at: .seconds(5)))
        circuit.probeBegan(at: .seconds(5))
        #expect(!circuit.admits(at: .seconds(100)) && circuit.wait(at: .seconds(5)) == nil)
        circuit.probeEnded()
        _ = circuit.failed(at: .seconds(20))
        #expect(circuit.wait(at: .seconds(20)) == .seconds(15))
        #expect(circuit.admits(at: .seconds(35)))
        let closed = circuit.succeeded()
        #expect(closed && circuit.admits(at: .seconds(36)))
    }

    @Test func overloadHalvesOncePerRoundAndRecoversStepByStep() {
        var throttle = Throttle(limit: 16)
        let round = throttle.round
        throttle.overloaded(inRound: round)
        // The other fifteen that were under way.
        for _ in 1...15 { throttle.overloaded(inRound: round) }
        #expect(throttle.budget == 8)
        for _ in 1...8 { throttle.succeeded() }
        #expect(throttle.budget == 9)
        for _ in 1...10 { throttle.overloaded(inRound: throttle.round) }
        #expect(throttle.budget == 1)
        for _ in 1...1000 { throttle.succeeded() }
        #expect(throttle.budget == 16)
    }

    /// An endpoint may allow what it likes (WebHook-Allowed-Rate): below one a day it is one a day.
    @Test(arguments: [1e-20, 1e-300, 1e-6]) func hardlyAnyRateIsADaysWaitAndNoTrap(perSecond: Double) {
        var pace = Pace(perSecond: perSecond)
        pace.took(at: .zero)
        #expect(pace.wait(at: .zero) == .seconds(86_400))
        #expect(pace.wait(at: .seconds(86_401)) == .zero)
    }

    @Test(arguments: [0.5, 1, 7, 50, 1000]) func paceKeepsItsRate(perSecond: Double) {
        var pace = Pace(perSecond: perSecond)
        var elapsed = Duration.zero
        var begun: [Duration] = []
        while elapsed < .seconds(20) {
            let wait = pace.wait(at: elapsed)
            guard wait == .zero else {
                elapsed += max(wait, .milliseconds(1))
                continue
            }
            pace.took(at: elapsed)
            begun.append(elapsed)
        }
        let most = Int(perSecond * 20 + max(1, perSecond / 10)) + 1
        #expect(begun.count <= most && Double(begun.count) >= perSecond * 20 * 0.95 - 1, "\(begun.count)")
    }
}
