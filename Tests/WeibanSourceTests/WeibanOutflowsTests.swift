import EventModel
import OutboundHTTP
import Ports
import Services
import Synchronization
import TestSupport
import Testing
import VendorSimulator

@testable import WeibanSource

/// Lets everything through and tries nothing twice.
private struct OpenGate: RequestGate {
    func admitted<T: Sendable>(_ request: () async throws(SourceError) -> T) async throws(SourceError) -> T {
        try await request()
    }
}

/// Pins the outflow list against the simulator: token, offsets, codes, nasty rows.
@Suite(.timeLimit(.minutes(1))) struct WeibanOutflowsTests {
    private let clock = ManualClock("2026-11-01T08:00:00Z")

    private func source(_ simulator: VendorSimulator, secret: String = "demoWeibanSecret") -> WeibanOutflows {
        let account = WeibanAccount(
            name: "acme-weiban", baseURL: simulator.weibanURL, corpID: "1704174310933890049",
            secret: Secret(secret),
            timeout: .seconds(10), caFile: nil, proxy: nil)
        return WeibanOutflows(
            WeibanClient(account, http: HTTPClient(), gate: OpenGate(), timekeeper: clock, draw: { 0.5 }),
            pageSize: 30)
    }

    private func identities(_ source: WeibanOutflows) async throws(SourceError) -> Set<String> {
        var found: Set<String> = []
        let window = Window(from: clock.now - .seconds(7200), to: clock.now + .seconds(1))
        try await source.read(window, lane: "") { page throws(SourceError) in
            for row in page.rows {
                do throws(RowError) {
                    found.insert(try WeibanOutflow(row).identity)
                } catch {
                    throw SourceError(.malformed, doing: "read a row", cause: error.reason)
                }
            }
        }
        return found
    }

    private func simulator(_ change: (inout SimulatorOptions) -> Void = { _ in }) throws -> VendorSimulator {
        var options = SimulatorOptions()
        options.rows = 100
        change(&options)
        let clock = self.clock
        return try VendorSimulator(options, now: { clock.now })
    }

    @Test func theListIsReadWhole() async throws {
        let simulator = try simulator()
        defer { simulator.stop() }
        let truth = Set(simulator.outflows(at: clock.now).map(\.identity))
        #expect(try await identities(source(simulator)) == truth && truth.count == 100)
    }

    @Test func aTokenThatEndsIsReplacedOnceAndTheReadingGoesOn() async throws {
        let simulator = try simulator { $0.tokenLife = .seconds(60) }
        defer { simulator.stop() }
        let source = source(simulator)
        _ = try await identities(source)
        // The vendor's clock passes the end, ours for the token stands: the vendor says 10001.
        clock.jump(by: .seconds(61))
        #expect(try await identities(source).count == 100)
        #expect(simulator.statistics.requests["/open-api/access_token/get"] == 2)
    }

    @Test func aSecretThatStaysRefusedStopsTheAccountWithoutNamingIt() async throws {
        let simulator = try simulator()
        defer { simulator.stop() }
        let source = source(simulator, secret: "wrong-secret")
        var kinds: [SourceError.Kind?] = []
        for _ in 0..<5 {
            let error = await #expect(throws: SourceError.self) { _ = try await identities(source) }
            #expect(error?.description.contains("wrong-secret") == false)
            kinds.append(error?.kind)
        }
        #expect(kinds == [.code(10003), .code(10003), .code(10003), .credentials, .code(10003)])
    }

    @Test(arguments: [(Fault.status500, SourceError.Kind.transport), (.malformedPage, .malformed)])
    func aFaultEndsTheWindowWithItsReason(fault: Fault, kind: SourceError.Kind) async throws {
        let simulator = try simulator { $0.faults = FaultPlan(script: [.none, fault]) }
        defer { simulator.stop() }
        let error = await #expect(throws: SourceError.self) { _ = try await identities(source(simulator)) }
        #expect(error?.kind == kind && error?.description.contains("sim-token") == false)
    }

    @Test(
        arguments: [
            (10052, SourceError.Kind.throttled(after: .seconds(2))), (20201, .parameters),
            (20202, .parameters),
            (10001, .credentials), (777, .code(777)),
        ] as [(Int64, SourceError.Kind)])
    func codesUnderStatus200AreRefusals(code: Int64, kind: SourceError.Kind) throws {
        let body = Array(#"{"errcode":\#(code),"errmsg":"ok","external_user_list":[],"total_count":0}"#.utf8)
        let reply = try WeibanReply(
            OutboundResponse(status: 200, headers: [], body: body), now: clock.now, doing: "test")
        let error = #expect(throws: SourceError.self) { _ = try reply.successful(doing: "test") }
        #expect(error?.kind == kind)
    }

    @Test func aBlockLastsAMinuteAndThenAnHour() async {
        let block = WeibanBlock()
        #expect(await block.next(at: .zero) == .seconds(60))
        #expect(await block.next(at: .seconds(61)) == .seconds(3600))
        #expect(await block.next(at: .seconds(9000)) == .seconds(60))
    }

    @Test func nastyRowsAreReadOrRefusedByName() throws {
        func data(_ json: String) throws -> String {
            let row = try WeibanOutflowNormalizer(privacy: .keepEverything).normalize(Array(json.utf8))
            return String(decoding: row.data, as: UTF8.self)
        }
        let bare = try data(#"{"id":"wm1","outflow_at":"1736314633"}"#)
        #expect(bare.contains(#""outflowed_at":"2025-01-08T05:37:13Z""#) && bare.contains(#""tags":[]"#))
        #expect(bare.contains(#""staff":{"id":null,"name":null,"internal_id":null}"#))
        let loose = try data(
            #"{"id":"wm1","outflow_at":1,"tags":"[]","staff":"","has_chat":"true","staff_relation":{"staff_id":"9223372036854775807"}}"#
        )
        #expect(
            loose.contains(#""has_chat":true"#) && loose.contains(#""internal_id":"9223372036854775807""#))
        for wrong in [#"{"id":"wm1"}"#, #"{"outflow_at":1}"#, #"{"id":"wm1","outflow_at":99999999999999}"#] {
            #expect(throws: RowError.self) { _ = try data(wrong) }
        }
    }
}
