import EventModel
import OutboundHTTP
import Ports
import Services
import Synchronization
import TestSupport
import InboundHTTP
import Testing
import VendorSimulator

@testable import TanmaSource

/// Real: the simulator behind its HTTP server, and the client. Observed: the pages that are handed over.
@Suite(.timeLimit(.minutes(1)))
struct TanmaVisitsTests {
    /// A simulator, a source that reads it, and what it wrote into the log.
    private struct Fixture {
        let clock = ManualClock()
        let simulator: VendorSimulator
        let visits: TanmaVisits
        let lines: Lines

        init(pageSize: Int = 20, appKey: String = "demoAppKey", _ change: (inout SimulatorOptions) -> Void)
            throws
        {
            var options = SimulatorOptions()
            options.rows = 300
            options.spread = .seconds(600)
            options.includeSample = false
            change(&options)
            let (clock, lines) = (clock, Lines())
            self.lines = lines
            simulator = try VendorSimulator(options) { clock.now }
            let client = TanmaClient(
                .demo(simulator.baseURL, appKey: appKey), http: HTTPClient(), gate: OpenGate(),
                timekeeper: clock)
            let logger = Logger(level: .error, format: .text, write: { lines.add($0) })
            visits = TanmaVisits(client, sourceName: "visits", pageSize: pageSize, logger: logger)
        }

        var window: Window { Window(from: clock.now - .seconds(600), to: clock.now) }

        /// The identities of what is read, and how many rows cannot be read.
        func read() async throws(SourceError) -> (identities: Set<String>, broken: Int) {
            var (identities, broken): (Set<String>, Int) = ([], 0)
            try await visits.read(window, lane: "") { page throws(SourceError) in
                for row in page.rows {
                    do throws(RowError) {
                        identities.insert(try TanmaVisitNormalizer().normalize(row).identity)
                    } catch {
                        broken += 1
                    }
                }
            }
            return (identities, broken)
        }

        func failure() async -> SourceError.Kind? {
            do throws(SourceError) {
                _ = try await read()
                return nil
            } catch {
                return error.kind
            }
        }

        var truth: Set<String> { Set(simulator.truth(at: clock.now).map(\.visit.identity)) }
    }

    private final class Lines: Sendable {
        private let state = Mutex<[String]>([])
        var all: [String] { state.withLock { $0 } }
        func add(_ line: String) { state.withLock { $0.append(line) } }
    }

    @Test(arguments: SimulatorOptions.LastCursor.allCases, [1, 3, 20, 500])
    func aWindowIsReadWhole(lastCursor: SimulatorOptions.LastCursor, pageSize: Int) async throws {
        let fixture = try Fixture(pageSize: pageSize) { $0.lastCursor = lastCursor }
        let read = try await fixture.read()
        #expect(fixture.truth.count == 300)
        #expect(read.identities == fixture.truth)
        #expect(fixture.lines.all.isEmpty)
    }

    @Test(arguments: SimulatorOptions.LastCursor.allCases)
    func aVendorWithALimitOfItsOwnIsReadWholeWhereSecondsFit(
        lastCursor: SimulatorOptions.LastCursor
    ) async throws {
        let fixture = try Fixture(pageSize: 100) {
            $0.lastCursor = lastCursor
            $0.maxPageSize = 30
        }
        #expect(try await fixture.read().identities == fixture.truth)
    }

    @Test func aSecondTheVendorCutsIsAnAlarmThatHoldsNothingOfARow() async throws {
        let fixture = try Fixture(pageSize: 20) {
            $0.spread = .seconds(2)
            $0.maxPageSize = 20
        }
        let read = try await fixture.read()
        #expect(read.identities.isStrictSubset(of: fixture.truth))
        #expect(!fixture.lines.all.isEmpty)
        #expect(fixture.lines.all.allSatisfy { $0.contains("rows of one second may be missing") })
    }

    @Test(arguments: [
        (Fault.status500, SourceError.Kind.transport), (.code, .code(1000)),
        (.throttle, .throttled(after: .seconds(1))), (.malformedPage, .malformed),
    ])
    func aFaultEndsTheWindowWithItsReason(fault: Fault, kind: SourceError.Kind) async throws {
        let fixture = try Fixture { $0.faults = FaultPlan(script: [.none, fault]) }
        #expect(await fixture.failure() == kind)
        #expect(fixture.simulator.statistics.requests.values.reduce(0, +) == 2)
        #expect(try await fixture.read().identities == fixture.truth)
    }

    @Test func aConnectionThatBreaksIsATransportFailure() async throws {
        let fixture = try Fixture { $0.faults = FaultPlan(script: [.drop]) }
        #expect(await fixture.failure() == .transport)
        #expect(try await fixture.read().identities == fixture.truth)
    }

    @Test func aRowOutsideTheWindowDoesNotSteerThePaging() async throws {
        let rows = #"{"visitTime":"2026-11-01 08:00:10"},{"visitTime":"2999-01-01 00:00:00"}"#
        let vendor = try ScriptedVendor(
            #"{"code":0,"data":{"list":[\#(rows)],"nextCursor":"x"}}"#,
            #"{"code":0,"data":{"list":[],"nextCursor":null}}"#)
        defer { vendor.stop() }
        let visits = TanmaVisits(vendor.client(), sourceName: "visits", pageSize: 2, logger: .silent)
        let from = try #require(Timestamp(chinaText: "2026-11-01 08:00:00"))
        try await visits.read(Window(from: from, to: from + .seconds(60)), lane: "") { _ in }
        let bodies = vendor.asked.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.count == 2)
        #expect(bodies.last?.contains(#""since":"2026-11-01 08:00:10""#) == true)
    }

    @Test func aSlowAnswerIsWaitedFor() async throws {
        let fixture = try Fixture {
            $0.faults = FaultPlan(script: [.slow], slowDelay: .milliseconds(20))
        }
        #expect(try await fixture.read().identities == fixture.truth)
    }

    @Test func brokenRowsSpoilNoPage() async throws {
        let fixture = try Fixture {
            $0.faults = FaultPlan(script: [.malformedRow, .malformedRow, .none, .malformedRow])
        }
        let read = try await fixture.read()
        #expect(read.identities == fixture.truth)
        #expect(read.broken == 3)
    }

    @Test func aWrongKeyIsRefused() async throws {
        let fixture = try Fixture(appKey: "wrong") { _ in }
        #expect(await fixture.failure() == .credentials)
        #expect(fixture.simulator.statistics.signatureRefusals == 1)
    }

    @Test func aPageThatCannotBeStoredEndsTheWindow() async throws {
        let fixture = try Fixture { _ in }
        let error = await #expect(throws: SourceError.self) {
            try await fixture.visits.read(fixture.window, lane: "") { _ throws(SourceError) in
                throw SourceError(.store, doing: "store", cause: "no room")
            }
        }
        #expect(error?.kind == .store)
        #expect(fixture.simulator.statistics.requests.values.reduce(0, +) == 1)
    }

    @Test func aLargePageTheVendorRefusesIsDoneWithout() async throws {
        let row = #"{"visitTime":"2026-11-01 08:00:00"}"#
        let vendor = try ScriptedVendor(
            #"{"code":0,"data":{"list":[\#(row),\#(row)],"nextCursor":"a"}}"#,
            #"{"code":1001,"message":"size","data":null}"#,
            #"{"code":0,"data":{"list":[],"nextCursor":null}}"#)
        defer { vendor.stop() }
        let visits = TanmaVisits(vendor.client(), sourceName: "visits", pageSize: 2, logger: .silent)
        let window = Window(from: vendor.clock.now, to: vendor.clock.now + .seconds(60))
        var rows = 0
        try await visits.read(window, lane: "") { page throws(SourceError) in rows += page.rows.count }
        #expect(rows == 2)
        #expect(
            vendor.asked.map { String(decoding: $0.body, as: UTF8.self) } == [
                #"{"since":"2026-11-01 08:00:00","before":"2026-11-01 08:01:00","size":2}"#,
                #"{"since":"2026-11-01 08:00:00","before":"2026-11-01 08:01:00","size":4}"#,
                #"{"since":"2026-11-01 08:00:00","before":"2026-11-01 08:01:00","size":2,"cursor":"a"}"#,
            ])
    }
}
