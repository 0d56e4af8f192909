import EventModel
import Foundation
import Testing

@testable import VendorSimulator

/// Windows and pages. Real: the simulator behind its HTTP server; the clock stands still.
@Suite(.timeLimit(.minutes(1)))
struct PagingTests {
    /// What the vendor's reply says is the position of its last row.
    private static let sampleCursor = "AAAAAGEM7ZcAAAAAAAAAAAABaTauGSAA"

    @Test func theFirstRowsAreTheVendorsSampleByteForByte() throws {
        let client = try SimulatorClient()
        let body = #"{"since":"2021-08-06 14:00:00","size":5}"#
        let reply = try client.post(body)
        let compact = String(decoding: VendorSample.reply, as: UTF8.self).split(separator: "\n")
            .map { $0.drop { $0 == " " }.replacing("\": ", with: "\":") }.joined()
        #expect(reply.text == compact)
        #expect(compact.hasSuffix(#""nextCursor":"\#(Self.sampleCursor)"}}"#))
    }

    @Test func cursorsAreReadAsTheyAreWritten() throws {
        let visit = try #require(TanmaCursor(text: Self.sampleCursor))
        #expect(visit == TanmaCursor(second: 1_628_237_207, id: 397_158_546_743_296))
        #expect(visit.text == Self.sampleCursor)
        let relation = TanmaCursor(second: 1_623_243_178, nanosecond: 749_883_000, id: 58_701_377)
        #expect(relation.text == "AAAAAGDAuaoAAAAALLJOeAAAAAADf7ZB")
        #expect(TanmaCursor(text: relation.text) == relation)
        #expect(TanmaCursor(text: "AAAA") == nil)
        #expect(TanmaCursor(text: "no base64") == nil)
    }

    @Test func sinceIsInclusiveAndBeforeIsExclusive() throws {
        let client = try SimulatorClient { $0.rows = 0 }
        let page = try client.page(since: "2021-08-06 14:29:51", before: "2021-08-06 14:48:08")
        #expect(page.data?.list.map(\.visitTime).last == "2021-08-06 14:47:21")
        #expect(page.data?.list.count == 3)
        let later = try client.page(since: "2021-08-06 14:29:52", before: "2021-08-06 14:48:09")
        #expect(later.data?.list.count == 3)
    }

    @Test func onlyTheVisitorAskedForIsShown() throws {
        let client = try SimulatorClient()
        let page = try client.page(unionid: "omeS86tzd_RSUTFZxfPsJcQRcZZs")
        #expect(page.data?.list.map(\.viewTimes) == [1, 2, 3])
        #expect(page.data?.nextCursor == nil)
    }

    @Test func aPageShowsTheTruthInOrder() throws {
        let client = try SimulatorClient { $0.rows = 150 }
        let rows = try #require(try client.page(size: 500).data).list
        #expect(rows == client.simulator.truth(at: client.clock.now).map(\.visit))
        #expect(rows.map(\.visitTime) == rows.map(\.visitTime).sorted())
        #expect(rows.count == 155)
    }

    @Test func theCursorReachesEveryRowButThoseThatTieWithAPagesLast() throws {
        let client = try SimulatorClient { $0.rows = 150 }
        var expected = client.simulator.truth(at: client.clock.now).map(\.visit)
        let all = expected.count
        var cursor: String?
        var seen = 0
        repeat {
            let page = try #require(try client.page(size: 7, cursor: cursor).data)
            #expect(page.list == Array(expected.prefix(7)))
            seen += page.list.count
            expected.removeFirst(page.list.count)
            let last = page.list.last
            expected.removeAll {
                $0.visitTime == last?.visitTime && $0.customerId ?? 0 == last?.customerId ?? 0
            }
            cursor = page.nextCursor
        } while cursor != nil
        #expect(expected.isEmpty)
        // The world has ties, so that a reader who trusts the cursor is found out.
        #expect(seen < all)
    }

    @Test func goingOnFromTheLastSecondMissesNothing() throws {
        let client = try SimulatorClient { $0.rows = 150 }
        var seen = Set<String>()
        var since = "2000-01-01 00:00:00"
        while true {
            let rows = try #require(try client.page(since: since, size: 12).data).list
            seen.formUnion(rows.map(\.identity))
            guard rows.count == 12, let last = rows.last else { break }
            try #require(last.visitTime != since)
            since = last.visitTime
        }
        #expect(seen == Set(client.simulator.truth(at: client.clock.now).map(\.visit.identity)))
    }

    @Test func theOpenCursorIsTheCursorInTheClear() throws {
        let client = try SimulatorClient()
        let open = try client.page([
            "since": "2000-01-01 00:00:00", "size": 3,
            "cursorBo": ["time": "2021-08-06 16:06:47", "id": 397_158_546_743_296],
        ])
        let opaque = try client.page(size: 3, cursor: Self.sampleCursor)
        #expect(open.data?.list == opaque.data?.list)
        let before = try client.page([
            "since": "2000-01-01 00:00:00", "size": 1, "cursorBo": ["time": "2021-08-06 16:06:47", "id": 1],
        ])
        #expect(before.data?.list.first?.customerId == 397_158_546_743_296)
    }

    @Test func aPageIsNeverLargerThanTheVendorAllows() throws {
        let client = try SimulatorClient { $0.maxPageSize = 20 }
        let page = try #require(try client.page(size: 1000).data)
        #expect(page.list.count == 20)
        #expect(page.nextCursor != nil)
    }

    @Test(arguments: SimulatorOptions.LastCursor.allCases)
    func theLastPageEndsAsTheOptionSays(option: SimulatorOptions.LastCursor) throws {
        let client = try SimulatorClient {
            $0.rows = 0
            $0.lastCursor = option
        }
        let last = try client.post(#"{"since":"2021-08-06 14:00:00","size":5}"#)
        let empty = try client.post(
            #"{"since":"2021-08-06 14:00:00","size":5,"cursor":"\#(Self.sampleCursor)"}"#)
        let end =
            switch option {
            case .null: #"],"nextCursor":null}}"#
            case .absent: "]}}"
            case .same: #"],"nextCursor":"\#(Self.sampleCursor)"}}"#
            }
        #expect(last.text.hasSuffix("}" + end))
        #expect(empty.text == #"{"code":0,"message":"ok","data":{"list":["# + end)
    }
}
