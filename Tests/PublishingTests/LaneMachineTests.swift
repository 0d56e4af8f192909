import EventModel
import Persisting
import Ports
import Services
import TestSupport
import Testing

@testable import Publishing

/// Drives one machine by hand: what was sent, what was stored, and what the account says, without clock or store.
struct Bench {
    var machine: LaneMachine
    var now = Timestamp(seconds: 1_000_000)
    var elapsed = Duration.zero
    var sent: [Delivery] = []
    var open: [Int64] = []
    var events: [Int64: StoredEvent] = [:]
    /// What a store would hold.
    var rows: [Int64: RetryRow] = [:]
    var delivered = 0
    var dead = 0
    var filtered = 0
    /// Rows that the store is still reading, when it takes its time.
    var loads: [(lead: Int64, offsets: [Int64])] = []
    var loadsLater = false
    var storesLater = false

    init(_ change: (inout Subscription) -> Void = { _ in }) {
        machine = LaneMachine(
            LaneMachine.Identity(sink: "webhook/a", id: "sub_a", relay: "acme"),
            EngineFixture.subscription("a", change), health: SubscriptionHealth(),
            progress: SinkProgress(position: 0), retries: [])
    }

    var moment: Moment { Moment(now: now, elapsed: elapsed) }

    static func event(_ offset: Int64, _ key: String) -> StoredEvent {
        StoredEvent(
            offset: offset,
            id: EventID(time: Timestamp(seconds: offset), digest: [UInt8](repeating: 1, count: 10)),
            type: "visit.recorded", account: "a", kind: .visits, key: key, recorded: Timestamp(seconds: 0),
            body: [])
    }

    mutating func offer(_ keys: [String]) {
        let first = machine.ledger.window.taken + 1
        let new = keys.enumerated().map { Self.event(first + Int64($0.offset), $0.element) }
        for event in new { events[event.offset] = event }
        machine.isReading = false
        machine.offered(new)
        pump()
    }

    mutating func pass(_ duration: Duration) {
        now = now + duration
        elapsed += duration
        pump()
    }

    mutating func answer(_ lead: Int64, _ result: AttemptResult) {
        open.removeAll { $0 == lead }
        perform(machine.attempted(lead, result, draw: 0.5, moment))
        pump()
    }

    mutating func pump() {
        var isDone = false
        while !isDone {
            perform(machine.pump(moment))
            isDone = storesLater || machine.freezing.isEmpty && machine.storing.isEmpty
            if !storesLater { store() }
        }
    }

    mutating func finishLoads() {
        let done = loads
        (loads, loadsLater) = ([], false)
        for load in done { perform([.load(lead: load.lead, offsets: load.offsets)]) }
        pump()
    }

    mutating func perform(_ steps: [LaneMachine.Step]) {
        for step in steps {
            switch step {
            case .begin(let delivery, let lead):
                sent.append(delivery)
                open.append(lead)
            case .load(let lead, let offsets) where loadsLater: loads.append((lead, offsets))
            case .load(let lead, let offsets):
                machine.loaded(lead, offsets.compactMap { events[$0] }, moment)
                perform(machine.pump(moment))
            case .read: machine.received([])
            case .askConsent, .say: break
            }
        }
    }

    mutating func store() {
        machine.storing += machine.freezing
        machine.freezing = []
        guard machine.ledger.isDirty else { return }
        let update = machine.ledger.take()
        for offset in update.released { rows[offset] = nil }
        for row in update.waiting { rows[row.offset] = row }
        delivered += update.delivered
        dead += update.dead.count
        filtered += update.filtered
        if !machine.storing.isEmpty { machine.stored() }
        let window = update.progress
        let settled = window.settled.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 }
        let waiting = rows.values.reduce(0) { $0 + $1.count }
        let open = events.count - Int(window.position) - settled + waiting
        #expect(events.count == delivered + dead + filtered + open, "the account does not balance")
        #expect(waiting == machine.rows.eventCount, "the store and the machine disagree on what waits")
    }

    var sentOffsets: [[Int64]] { sent.map { $0.events.map(\.offset) } }
}

/// Pins `order: key`: one key strictly in order through failures, other keys go on.
@Suite struct OrderedLaneTests {
    @Test func oneKeyHasOneUnderWayAndOthersGoOn() {
        var bench = Bench { $0.isOrdered = true }
        bench.offer(["x", "x", "y", "x"])
        #expect(bench.sentOffsets == [[1], [3]])
        bench.answer(1, .ok)
        #expect(bench.sentOffsets == [[1], [3], [2]])
        bench.answer(2, .ok)
        #expect(bench.sentOffsets.last == [4])
    }

    @Test func failureHoldsItsKeyAndTheFollowersWaitInRows() {
        var bench = Bench { $0.isOrdered = true }
        bench.offer(["x", "x", "y", "x"])
        bench.answer(1, .status(500))
        bench.offer(["x", "z"])
        #expect(bench.sentOffsets == [[1], [3], [6]])
        #expect(Set(bench.rows.keys) == [1, 2, 4, 5])
        bench.answer(3, .ok)
        bench.answer(6, .ok)
        // Everything is settled or kept as a row: the position has passed all.
        #expect(bench.machine.ledger.window.progress.position == 6)
        bench.pass(.seconds(5))
        #expect(bench.sentOffsets.last == [1] && bench.sent.last?.attempt == 2)
        for offset in [Int64(1), 2, 4, 5] {
            #expect(bench.open == [offset])
            bench.answer(offset, .ok)
        }
        #expect(bench.rows.isEmpty && bench.delivered == 6)
    }

    @Test func deadLetterReleasesItsKey() {
        var bench = Bench { $0.isOrdered = true }
        bench.offer(["x", "x"])
        bench.answer(1, .status(415))
        #expect(bench.dead == 1 && bench.sentOffsets == [[1], [2]])
        bench.offer(["x"])
        bench.answer(2, .status(500))
        bench.pass(.seconds(5))
        bench.answer(2, .status(500))
        bench.pass(.seconds(60))
        bench.answer(2, .status(500))
        #expect(bench.dead == 2 && bench.sentOffsets.last == [3])
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func randomAnswersNeverBreakTheOrderOfAKeyNorTheAccount(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let batch = [1, 1, 3, 8].randomElement(using: &random) ?? 1
        var bench = Bench {
            $0.isOrdered = true
            $0.batch = batch
            $0.concurrency = 5
        }
        var settledOrder: [String: [Int64]] = [:]
        for _ in 0..<400 {
            if bench.events.count < 150, Int.random(in: 0..<3, using: &random) == 0 {
                bench.offer(
                    (0..<Int.random(in: 1...6, using: &random)).map { _ in
                        ["x", "y", "z"].randomElement(using: &random) ?? "x"
                    })
            }
            if let lead = bench.open.randomElement(using: &random) {
                let delivery = bench.sent.last { $0.events.first?.offset == lead }
                let statuses = [204, 204, 204, 500, 503, 415, 413, 404]
                let status = statuses.randomElement(using: &random) ?? 204
                for event in delivery?.events ?? [] where status == 204 {
                    settledOrder[event.key, default: []].append(event.offset)
                }
                bench.answer(lead, status == 204 ? .ok : .status(status))
            }
            bench.pass(.seconds(Int64.random(in: 0...40, using: &random)))
            let keys = bench.machine.flights.values.flatMap { Array($0.parcel.keys) }
            #expect(Set(keys).count == keys.count, "two of one key are under way, seed \(seed)")
        }
        // In the end everything is accepted, and nothing is left over.
        for _ in 0..<2000 where bench.delivered + bench.dead < bench.events.count {
            if let lead = bench.open.first {
                for event in bench.sent.last(where: { $0.events.first?.offset == lead })?.events ?? [] {
                    settledOrder[event.key, default: []].append(event.offset)
                }
                bench.answer(lead, .ok)
            }
            bench.pass(.seconds(31))
        }
        #expect(bench.delivered + bench.dead == bench.events.count, "seed \(seed)")
        #expect(bench.rows.isEmpty, "seed \(seed)")
        for (key, order) in settledOrder { #expect(order == order.sorted(), "key \(key), seed \(seed)") }
    }
}

/// Pins `batch`: frozen membership, one id, split on 413.
@Suite struct BatchLaneTests {
    @Test func whatWaitsGoesTogetherAndIsOnDiskBeforeItGoes() {
        var bench = Bench {
            $0.batch = 3
            $0.concurrency = 2
        }
        bench.offer((1...7).map { "k\($0)" })
        #expect(bench.sentOffsets == [[1, 2, 3], [4, 5, 6]])
        #expect(bench.rows[1]?.members == [1, 2, 3] && bench.rows[4]?.members == [4, 5, 6])
        #expect(bench.sent[0].id.hasPrefix("batch_") && bench.sent[0].isBatch)
        bench.answer(1, .ok)
        #expect(bench.sentOffsets.last == [7] && bench.delivered == 3)
    }

    @Test func failedBatchComesAgainWithTheSameMembersAndID() {
        var bench = Bench { $0.batch = 3 }
        bench.offer(["a", "b"])
        bench.answer(1, .status(500))
        bench.offer(["c"])
        bench.pass(.seconds(5))
        #expect(bench.sentOffsets == [[1, 2], [3], [1, 2]])
        #expect(bench.sent[0].id == bench.sent[2].id && bench.sent[2].attempt == 2)
    }

    @Test func tooLargeSplitsUntilOneAloneIsADeadLetter() {
        var bench = Bench { $0.batch = 4 }
        bench.offer(["a", "b", "c", "d"])
        bench.answer(1, .status(413))
        #expect(Set(bench.sentOffsets) == [[1, 2, 3, 4], [1, 2], [3, 4]])
        bench.answer(3, .ok)
        bench.answer(1, .status(413))
        #expect(Set(bench.sentOffsets.suffix(2)) == [[1], [2]])
        bench.answer(1, .status(413))
        bench.answer(2, .ok)
        #expect(bench.dead == 1 && bench.delivered == 3 && bench.rows.isEmpty)
        #expect(Set(bench.sent.map(\.id)).count == 5)
    }

    @Test func membershipOutlivesARestart() {
        let row = RetryRow(
            offset: 2, attempts: 0, due: Timestamp(seconds: 0), firstFailed: Timestamp(seconds: 0),
            status: nil,
            reason: "in a batch", members: [2, 3, 5], keys: ["a", "b"])
        var bench = Bench { $0.batch = 10 }
        for offset in Int64(1)...6 { bench.events[offset] = Bench.event(offset, "k") }
        bench.machine = LaneMachine(
            bench.machine.identity, bench.machine.subscription, health: SubscriptionHealth(),
            progress: SinkProgress(position: 6), retries: [row])
        (bench.rows, bench.delivered) = ([2: row], 3)
        bench.pump()
        #expect(bench.sentOffsets == [[2, 3, 5]] && bench.sent[0].attempt == 1)
    }
}

/// Pins the flow of one lane: bounds, holds, state.
@Suite struct LaneMachineTests {
    @Test func manyWaitingStopTheReading() {
        var bench = Bench {
            $0.concurrency = 1024
            $0.retry = RetrySchedule(.fixed([.seconds(86_400)]), jitter: 0)
        }
        var offered = 0
        // Every tenth succeeds, so that the circuit stays closed.
        while bench.machine.rows.eventCount < LaneMachine.maxWaiting, offered < 20_000 {
            bench.offer((0..<500).map { "k\($0)" })
            offered += 500
            while let lead = bench.open.first { bench.answer(lead, lead % 5 == 0 ? .ok : .status(500)) }
        }
        #expect(!bench.machine.wantsMore)
    }

    @Test func pausedLaneSendsNothingAndGoesOnWhenResumed() {
        var bench = Bench()
        bench.offer(["a"])
        bench.machine.paused("by request", bench.moment)
        bench.answer(1, .status(500))
        bench.pass(.seconds(3600))
        #expect(bench.sent.count == 1 && bench.rows.count == 1)
        bench.machine.resumed("by request", bench.moment)
        bench.pump()
        #expect(bench.sent.count == 2)
    }

    @Test func handshakeMustConsentBeforeAnythingIsSent() {
        var bench = Bench { $0.needsHandshake = true }
        bench.offer(["a"])
        #expect(bench.sent.isEmpty && bench.machine.consent == .asked)
        bench.perform(bench.machine.consented(.refused(.status(405)), bench.moment))
        bench.pump()
        #expect(bench.sent.isEmpty)
        bench.pass(.seconds(30))
        #expect(bench.machine.consent == .asked)
        bench.perform(bench.machine.consented(.granted(perMinute: 60), bench.moment))
        bench.offer(["a", "b", "c"])
        #expect(bench.sent.count == 1)
        bench.pass(.seconds(1))
        #expect(bench.sent.count == 2)
        #expect(bench.machine.health.grantedRate == 60)
    }

    @Test func failuresAfterTheCircuitOpenedAreOneProbeAtATime() {
        var bench = Bench { $0.concurrency = 20 }
        bench.offer((1...20).map { "k\($0)" })
        for lead in bench.open { bench.answer(lead, .status(500)) }
        #expect(bench.sent.count == 20 && bench.machine.circuit.isOpen)
        bench.pass(.seconds(29))
        #expect(bench.sent.count == 20)
        bench.pass(.seconds(1))
        // The oldest event that is due.
        #expect(bench.sent.count == 21 && bench.sentOffsets.last == [1])
        bench.answer(1, .ok)
        #expect(bench.sent.count == 21 + 19)
    }

    /// Nothing but the probe is sent to an endpoint that is down, wherever a delivery stood when the circuit opened.
    @Test func whatIsReadWhileTheCircuitOpensIsNotSent() {
        var bench = Bench { $0.concurrency = 20 }
        bench.offer((1...20).map { "k\($0)" })
        for lead in Int64(1)...9 { bench.answer(lead, .status(500)) }
        bench.loadsLater = true
        bench.pass(.seconds(5))
        #expect(bench.loads.count == 9)
        bench.answer(10, .status(500))
        #expect(bench.machine.circuit.isOpen)
        bench.finishLoads()
        #expect(bench.sent.count == 20)
        bench.pass(.seconds(30))
        #expect(bench.sent.count == 21)
    }

    @Test func whatWaitsForTheRateWhileTheCircuitOpensIsNotSent() {
        var bench = Bench {
            ($0.concurrency, $0.rate) = (20, 1)
            $0.retry = RetrySchedule(.fixed([.seconds(60), .seconds(60)]), jitter: 0)
        }
        bench.offer((1...9).map { "k\($0)" })
        for _ in 1...9 {
            bench.answer(bench.open[0], .status(500))
            bench.pass(.seconds(1))
        }
        bench.loadsLater = true
        bench.pass(.seconds(60))
        bench.finishLoads()
        #expect(bench.open.count == 1 && bench.machine.ready.count > 1)
        bench.answer(bench.open[0], .status(500))
        #expect(bench.machine.circuit.isOpen)
        let sent = bench.sent.count
        bench.pass(.seconds(29))
        #expect(bench.sent.count == sent)
    }

    @Test func batchThatIsStoredWhileTheCircuitOpensIsNotSent() {
        var bench = Bench { ($0.concurrency, $0.batch) = (20, 2) }
        bench.offer((1...20).map { "k\($0)" })
        for lead in bench.open.prefix(9) { bench.answer(lead, .status(500)) }
        bench.storesLater = true
        bench.offer(["late", "later"])
        #expect(bench.sent.count == 10 && !bench.machine.freezing.isEmpty)
        bench.answer(19, .status(500))
        #expect(bench.machine.circuit.isOpen)
        bench.storesLater = false
        bench.pump()
        #expect(bench.sent.count == 10)
    }

    @Test func retryAfterHoldsAlsoTheProbe() {
        var bench = Bench { $0.concurrency = 20 }
        bench.offer((1...20).map { "k\($0)" })
        for lead in bench.open { bench.answer(lead, .status(503, retryAfter: .seconds(600))) }
        bench.pass(.seconds(599))
        #expect(bench.sent.count == 20)
        bench.pass(.seconds(1))
        #expect(bench.sent.count == 21)
    }
}
