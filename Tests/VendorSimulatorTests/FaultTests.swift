import EventModel
import Foundation
import Synchronization
import Testing

@testable import VendorSimulator

/// What goes wrong on request. Real: the simulator behind its HTTP server.
@Suite(.timeLimit(.minutes(1)))
struct FaultTests {
    private func client(_ script: Fault..., rows: Int = 20) throws -> SimulatorClient {
        try SimulatorClient {
            $0.rows = rows
            $0.faults = FaultPlan(script: script, slowDelay: .milliseconds(20))
        }
    }

    @Test func aScriptCountsRequestsAndThenAllIsWell() throws {
        let client = try client(.none, .status500, .code)
        #expect(try client.page().code == 0)
        #expect(try client.post().status == 500)
        let refused = try client.page()
        #expect(refused.code == 1000 && refused.data == nil)
        #expect(try client.page().code == 0)
        let statistics = client.simulator.statistics
        #expect(statistics.faults == [.status500: 1, .code: 1])
        #expect(statistics.requests == [SimulatorClient.path: 4])
        #expect(statistics.rowsServed == 50)
    }

    @Test func throttlingSaysWhenToComeBack() throws {
        let reply = try client(.throttle).post()
        #expect(reply.status == 429)
        #expect(reply.header("Retry-After") == "1")
    }

    @Test func aDropAnswersNothing() throws {
        let client = try client(.drop)
        #expect(throws: LoopbackReply.NoReply.self) { _ = try client.post() }
        #expect(client.simulator.statistics.faults == [.drop: 1])
        #expect(try client.page().code == 0)
    }

    @Test func aSlowAnswerIsTheRightOne() throws {
        let client = try client(.slow)
        #expect(try client.page().data?.list.count == 25)
        #expect(client.simulator.statistics.faults == [.slow: 1])
    }

    @Test func aCutPageIsNoJSON() throws {
        let client = try client(.malformedPage)
        let reply = try client.post()
        #expect(reply.status == 200)
        #expect(reply.text.hasPrefix(#"{"code":0,"#))
        #expect(throws: (any Error).self) { _ = try JSONSerialization.jsonObject(with: Data(reply.body)) }
    }

    @Test func brokenRowsTakeTurnsAndAreNoPartOfTheTruth() throws {
        let client = try client(.malformedRow, .malformedRow, .malformedRow)
        let marks = [#"\ud83d""#, "broken\u{1}row", ":100000000000000000000000000042,"]
        for mark in marks {
            let text = try client.post().text
            #expect(text.contains(mark))
            #expect(text.components(separatedBy: #"{"unionid":"#).count - 1 == 26)
        }
        #expect(client.simulator.truth(at: client.clock.now).count == 25)
        #expect(client.simulator.statistics.rowsServed == 75)
    }

    @Test func aFullPageStaysAsLongAsAskedForWhenARowIsBroken() throws {
        let client = try client(.malformedRow)
        let body = #"{"since":"2000-01-01 00:00:00","size":5}"#
        let text = try client.post(body).text
        #expect(text.components(separatedBy: #"{"unionid":"#).count - 1 == 5)
        let cursor = TanmaCursor(second: 1_628_232_488, id: 0).text
        #expect(text.hasSuffix(#""nextCursor":"\#(cursor)"}}"#))
        #expect(text.contains(#""visitTime":"2021-08-06 14:29:51","viewDuration":7"#))
    }

    @Test func sharesDecideTheSameWayForTheSameSeed() {
        let plan = FaultPlan(script: [.drop], shares: [.status500: 0.2, .slow: 0.1])
        var (one, two) = (FaultDice(plan, seed: 7), FaultDice(plan, seed: 7))
        let faults = (0..<10_000).map { _ in one.next() }
        #expect(faults == (0..<10_000).map { _ in two.next() })
        #expect(faults.first == .drop)
        #expect((1800...2200).contains(faults.count { $0 == .status500 }))
        #expect((850...1150).contains(faults.count { $0 == .slow }))
        #expect(faults.count { $0 == .drop } == 1)
    }

    @Test func everyRequestIsTold() throws {
        let told = Mutex<[SimulatedRequest]>([])
        let client = try SimulatorClient {
            $0.rows = 0
            $0.faults = FaultPlan(script: [.none, .status500])
            $0.requestLog = { line in told.withLock { $0.append(line) } }
        }
        _ = try client.page(since: "2021-08-06 14:00:00", size: 2)
        _ = try client.post()
        let lines = told.withLock { $0 }
        #expect(lines.map(\.status) == [200, 500])
        #expect(lines.map(\.rows) == [2, 0])
        #expect(lines.first?.window?.size == 2)
        #expect(lines.first?.window?.since == Timestamp(chinaText: "2021-08-06 14:00:00"))
    }

    @Test func optionsThatMakeNoSenseAreRefused() {
        for change in [{ $0.late = 1.5 }, { $0.rows = -1 }, { $0.rate = -.infinity }, { $0.maxPageSize = 0 }]
            as [(inout SimulatorOptions) -> Void]
        {
            let error = #expect(throws: SimulatorError.self) {
                _ = try SimulatorClient(StandingClock(), change)
            }
            #expect(error?.kind == .badOption)
        }
    }
}
