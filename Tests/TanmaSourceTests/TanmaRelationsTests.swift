import EventModel
import OutboundHTTP
import Ports
import Synchronization
import TestSupport
import Testing
import VendorSimulator

@testable import TanmaSource

/// Pins the relations list: both types, microsecond order, cursors, edits.
@Suite(.timeLimit(.minutes(1))) struct TanmaRelationsTests {
    private let clock = ManualClock("2026-11-01T08:00:00Z")

    private func read(
        _ simulator: VendorSimulator, pageSize: Int, lane: String
    ) async throws -> [String] {
        let client = TanmaClient(
            .demo(simulator.baseURL), http: HTTPClient(), gate: OpenGate(), timekeeper: clock)
        let source = TanmaRelations(client, pageSize: pageSize)
        var identities: [String] = []
        let window = Window(from: clock.now - .seconds(7200), to: clock.now + .seconds(1))
        try await source.read(window, lane: lane) { page throws(SourceError) in
            for row in page.rows {
                do throws(RowError) {
                    identities.append(try TanmaRelation(row).identity)
                } catch {
                    throw SourceError(.malformed, doing: "read a row", cause: error.reason)
                }
            }
        }
        return identities
    }

    @Test(arguments: SimulatorOptions.LastCursor.allCases, [7, 100])
    func bothTypesAreReadWholeAndInOrder(last: SimulatorOptions.LastCursor, pageSize: Int) async throws {
        var options = SimulatorOptions()
        (options.rows, options.lastCursor) = (300, last)
        let clock = self.clock
        let simulator = try VendorSimulator(options, now: { clock.now })
        defer { simulator.stop() }
        for (lane, type) in [("1", 1), ("2", 2)] as [(String, Int64)] {
            let truth = simulator.relations(at: clock.now).filter { $0.type == type }.map(\.identity)
            #expect(!truth.isEmpty)
            #expect(try await read(simulator, pageSize: pageSize, lane: lane) == truth)
        }
    }

    @Test(
        arguments: [
            ([(100, "a"), (100, "b"), (0, "b")], CursorPaging.Step.end), ([(100, nil)], .end),
            ([(100, "a"), (40, "a")], .end),
            ([(100, "a"), (100, "a")], .loop), ([(100, "a"), (100, "b"), (100, "a")], .loop),
            ([(3, "a")], .next("a")),
        ] as [([(Int, String?)], CursorPaging.Step)])
    func cursorsLeadToAnEndOrAreALoop(pages: [(Int, String?)], step: CursorPaging.Step) {
        var paging = CursorPaging(pageSize: 100)
        var latest = CursorPaging.Step.next(nil)
        for (count, cursor) in pages { latest = paging.received(count: count, cursor: cursor) }
        #expect(latest == step)
    }

    @Test func nastyRowsAreReadOrRefusedByName() throws {
        func data(_ json: String) throws -> String {
            let row = try TanmaRelationNormalizer(privacy: .keepEverything).normalize(Array(json.utf8))
            return String(decoding: row.data, as: UTF8.self)
        }
        let base = #""customerId":"9223372036854775807","createTime":"2024-02-29 00:00:00""#
        let bare = try data("{\(base)}")
        #expect(bare.contains(#""id":"9223372036854775807""#) && bare.contains(#""fields":[]"#))
        #expect(bare.contains(#""created_at":"2024-02-28T16:00:00Z""#) && bare.contains(#""type":"unknown""#))
        let loose = try data(
            #"{\#(base),"fields":"[]","tagIds":"","companyInfo":"","type":9,"qwUserId":""}"#)
        #expect(loose.contains(#""tag_ids":[]"#) && loose.contains(#""type_code":9"#))
        let phones = try data(
            #"{\#(base),"fields":[{"field":"mobile","type":8,"valueAsText":"13800000000"},{"field":"m","type":8,"valueAsText":null},{"field":"n","type":8,"valueAsText":["1",2]}]}"#
        )
        #expect(phones.contains(#""value":["13800000000"]"#) && phones.contains(#""value":[]"#))
        #expect(phones.contains(#""value":["1","2"]"#))
        for wrong in [
            #"{"customerId":1}"#, #"{\#(base),"fields":7}"#,
            #"{"customerId":1e30,"createTime":"2024-02-29 00:00:00"}"#,
        ] {
            #expect(throws: RowError.self) { _ = try data(wrong) }
        }
    }

    @Test func privacyReachesEveryFieldThatNamesSomebody() throws {
        let privacy = Privacy(
            [.mobile: .mask, .name: .drop, .note: .hash, .avatarURL: .drop], hash: { _ in "hashed" })
        let row =
            #"{"customerId":1,"createTime":"2024-02-29 00:00:00","fields":[{"field":"mobile","type":8,"valueAsText":"[\"13800000001\"]"},{"field":"name","type":1,"valueAsText":"secret name"},{"field":"description","type":1,"valueAsText":"secret note"},{"field":"gender","type":2,"valueAsText":"1"}],"companyInfo":{"id":2,"name":"secret company"},"wechatNickname":"secret nick","wechatAvatar":"https://secret","qwRemark":"secret remark"}"#
        let data = String(
            decoding: try TanmaRelationNormalizer(privacy: privacy).normalize(Array(row.utf8)).data,
            as: UTF8.self)
        #expect(!data.contains("secret") && !data.contains("13800000001"))
        #expect(
            data.contains("138****0001") && data.contains(#""remark":"hashed""#)
                && data.contains(#""value":"1""#))
    }
}
