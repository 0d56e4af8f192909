import TestSupport
import Testing

@testable import Ingesting

/// Pins who goes next: in the order of coming, periods before customers but not for ever, never too many at once.
struct TurnstileTests {
    private func entered(_ turnstile: inout Turnstile, _ tickets: [Int], at now: Duration) -> Int? {
        tickets.first { turnstile.ask($0, at: now) == .enter }
    }

    @Test func thoseWhoWaitGoInTheOrderOfTheirComing() {
        var turnstile = Turnstile(perSecond: 1, atOnce: 10)
        let tickets = (0..<3).map { _ in turnstile.join(.period) }
        #expect(turnstile.ask(tickets[1], at: .zero) == .later)
        #expect(turnstile.ask(tickets[0], at: .zero) == .enter)
        #expect(turnstile.ask(tickets[2], at: .zero) == .later)
        #expect(turnstile.ask(tickets[1], at: .milliseconds(300)) == .wait(.milliseconds(700)))
        #expect(turnstile.ask(tickets[1], at: .seconds(1)) == .enter)
    }

    @Test func aPlaceIsFreeOnlyWhenSomebodyLeaves() {
        var turnstile = Turnstile(perSecond: 1000, atOnce: 2)
        let tickets = (0..<3).map { _ in turnstile.join(.period) }
        #expect(turnstile.ask(tickets[0], at: .seconds(1)) == .enter)
        #expect(turnstile.ask(tickets[1], at: .seconds(2)) == .enter)
        #expect(turnstile.ask(tickets[2], at: .seconds(3)) == .later)
        turnstile.leave()
        #expect(turnstile.ask(tickets[2], at: .seconds(3)) == .enter)
    }

    @Test func periodsGoFirstAndEveryFourthPlaceIsTheCustomers() {
        var turnstile = Turnstile(perSecond: 1, atOnce: 100)
        let customers = (0..<3).map { _ in turnstile.join(.customer) }
        let periods = (0..<8).map { _ in turnstile.join(.period) }
        let order = (0..<11).compactMap { second in
            entered(&turnstile, customers + periods, at: .seconds(second))
        }
        #expect(order.map { customers.contains($0) ? "c" : "p" }.joined() == "pppcpppcppc")
    }

    @Test func whoGivesUpIsPassedOver() {
        var turnstile = Turnstile(perSecond: 1, atOnce: 1)
        let tickets = (0..<2).map { _ in turnstile.join(.customer) }
        turnstile.giveUp(tickets[0])
        #expect(turnstile.ask(tickets[1], at: .zero) == .enter)
    }

    @Test(arguments: UInt64(1)...50)
    func neitherRateNorConcurrencyIsEverExceeded(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var turnstile = Turnstile(perSecond: 5, atOnce: 2)
        var (waiting, inProcess, entries): ([Int], Int, [Duration]) = ([], 0, [])
        var now: Duration = .zero
        for _ in 0..<500 {
            now += .milliseconds(Int.random(in: 0...120, using: &random))
            if Bool.random(using: &random) {
                waiting.append(turnstile.join(Bool.random(using: &random) ? .period : .customer))
            }
            if Int.random(in: 0..<50, using: &random) == 0 { turnstile.close(until: now + .seconds(1)) }
            if inProcess > 0, Bool.random(using: &random) {
                turnstile.leave()
                inProcess -= 1
            }
            if let ticket = entered(&turnstile, waiting, at: now) {
                waiting.removeAll { $0 == ticket }
                inProcess += 1
                entries.append(now)
            }
            #expect(inProcess <= 2, "seed \(seed)")
        }
        for (one, other) in zip(entries, entries.dropFirst()) {
            #expect(other - one >= .milliseconds(200), "seed \(seed)")
        }
        #expect(entries.count > 20, "seed \(seed)")
    }
}
