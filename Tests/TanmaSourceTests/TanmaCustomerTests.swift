import EventModel
import Foundation
import InboundHTTP
import Ports
import TestSupport
import Testing

@testable import TanmaSource

/// Pins the calls for single customers: what is asked, where a list ends, what counts as no rows.
@Suite(.timeLimit(.minutes(1))) struct TanmaCustomerTests {
    private static func page(_ ids: [Int], total: Int? = nil) -> String {
        let rows = ids.map { #"{"id":\#($0)}"# }.joined(separator: ",")
        return #"{"code":0,"data":{"totalCount":\#(total.map(String.init) ?? "null"),"result":[\#(rows)]}}"#
    }

    private func asked(_ vendor: ScriptedVendor) throws -> [NSDictionary] {
        try vendor.asked.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.body)) as? NSDictionary)
        }
    }

    private func files(
        _ vendor: ScriptedVendor, pageSize: Int = 2, staff: TanmaCustomerFiles.StaffParameter = .userId,
        key: String = "LiuFuLai\n7"
    ) async throws -> CustomerList {
        try await TanmaCustomerFiles(vendor.client(), pageSize: pageSize, staff: staff).read(key)
    }

    @Test(
        arguments: [
            (#"{"code":0,"message":"success","data":[{"id":1},{"id":2}]}"#, 2), (#"{"code":0,"data":[]}"#, 0),
            (#"{"code":0,"data":null}"#, 0), (#"{"code":0}"#, 0), (#"{"code":0,"data":""}"#, 0),
        ])
    func aCustomersWholeHistoryIsOneReply(body: String, rows: Int) async throws {
        let vendor = try ScriptedVendor(body)
        defer { vendor.stop() }
        let list = try await TanmaFollowRecords(vendor.client()).read("wmPB\"v")
        #expect(list.rows.count == rows)
        #expect(try asked(vendor) == [["externalUserId": "wmPB\"v"]])
        #expect(vendor.asked.first?.path == "/apiServer/api/v2/customer/follow/qw-list-by-customer")
    }

    @Test(
        arguments: [
            (#"{"code":7,"data":[]}"#, SourceError.Kind.code(7)),
            (#"{"code":0,"data":{"list":[]}}"#, .malformed),
            (#"{"code":0,"data":7}"#, .malformed), (#"{"code":0,"data":[{"id":1}"#, .malformed),
        ])
    func whatIsNoHistoryIsNoEmptyOne(body: String, kind: SourceError.Kind) async throws {
        let vendor = try ScriptedVendor(body)
        defer { vendor.stop() }
        let error = await #expect(throws: SourceError.self) {
            _ = try await TanmaFollowRecords(vendor.client()).read("wm")
        }
        #expect(error?.kind == kind)
    }

    @Test func pagesOfFilesFollowTheSmallestId() async throws {
        let vendor = try ScriptedVendor(
            Self.page([9, 8], total: 5), Self.page([7, 6], total: 5), Self.page([5], total: 5))
        defer { vendor.stop() }
        let list = try await files(vendor)
        #expect(list.rows.count == 5 && list.missing == 0)
        #expect(
            try asked(vendor) == [
                ["userId": "LiuFuLai", "customerId": 7, "pageSize": 2],
                ["userId": "LiuFuLai", "customerId": 7, "pageSize": 2, "lastId": 8],
                ["userId": "LiuFuLai", "customerId": 7, "pageSize": 2, "lastId": 6],
            ])
    }

    @Test func aSmallestIdThatComesBackIsTakenOnce() async throws {
        let vendor = try ScriptedVendor(Self.page([9, 8]), Self.page([8, 7]), Self.page([7]))
        defer { vendor.stop() }
        #expect(try await files(vendor).rows.count == 3)
    }

    @Test func pagesShorterThanAskedForGoOnWhileTheTotalIsAbove() async throws {
        let vendor = try ScriptedVendor(
            Self.page([9, 8], total: 3), Self.page([7], total: 3), Self.page([], total: 3))
        defer { vendor.stop() }
        #expect(try await files(vendor, pageSize: 30).rows.count == 3)
        #expect(vendor.asked.count == 2)
    }

    @Test func aTotalThatIsNeverReachedIsTold() async throws {
        let vendor = try ScriptedVendor(Self.page([9, 8], total: 4), Self.page([], total: 4))
        defer { vendor.stop() }
        let list = try await files(vendor)
        #expect(list.rows.count == 2 && list.missing == 2)
    }

    @Test func idsThatDoNotFallEndTheList() async throws {
        let vendor = try ScriptedVendor(Self.page([1, 2], total: 9), Self.page([3, 4], total: 9))
        defer { vendor.stop() }
        let list = try await files(vendor)
        #expect(list.rows.count == 4 && list.missing == 5 && vendor.asked.count == 2)
    }

    @Test func theSamePageAgainAndAgainEnds() async throws {
        let vendor = try ScriptedVendor(Self.page([9, 8], total: 4))
        defer { vendor.stop() }
        #expect(try await files(vendor).rows.count == 2)
        #expect(vendor.asked.count == 2)
    }

    @Test(arguments: [#"{"code":0,"data":null}"#, #"{"code":0,"message":"ok"}"#])
    func noDataMeansNoFiles(body: String) async throws {
        let vendor = try ScriptedVendor(body)
        defer { vendor.stop() }
        #expect(try await files(vendor).rows.isEmpty)
    }

    @Test(arguments: [("42", #""salesId":42,"#), ("LiuFuLai", #""salesId":"LiuFuLai","#)])
    func theSalespersonGoesUnderTheOtherNameOnRequest(staff: String, sent: String) async throws {
        let vendor = try ScriptedVendor(Self.page([]))
        defer { vendor.stop() }
        _ = try await files(vendor, staff: .salesId, key: "\(staff)\n7")
        let body = String(decoding: vendor.asked.first?.body ?? [], as: UTF8.self)
        #expect(body.contains(sent) && !body.contains("userId"))
    }

    @Test func aRefusedCursorGoesOnFromTheLastRowsSecond() throws {
        func second(_ value: Int64) -> Timestamp { Timestamp(seconds: value) }
        var walk = RelationWalk(Window(from: second(0), to: second(100)), pageSize: 2)
        walk.received(count: 2, lastSecond: second(10), cursor: "a")
        #expect(walk.step == .next(.init(since: second(0), cursor: "a")))
        let goesOn = walk.cursorRefused()
        #expect(goesOn)
        #expect(walk.step == .next(.init(since: second(10), cursor: nil)))
        let withoutCursor = walk.cursorRefused()
        #expect(!withoutCursor)
        walk.received(count: 2, lastSecond: second(10), cursor: "b")
        let inOneSecond = walk.cursorRefused()
        #expect(!inOneSecond)
        walk.received(count: 1, lastSecond: second(12), cursor: nil)
        #expect(walk.step == .end)
    }
}
