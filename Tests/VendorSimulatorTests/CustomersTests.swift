import EventModel
import Foundation
import Testing
import VendorSimulator

/// Pins the endpoints of single customers, and the limits a vendor keeps.
struct CustomersTests {
    private struct Records: Decodable {
        struct Row: Decodable { let id: Int64 }
        let code: Int
        let data: [Row]?
    }

    private struct Files: Decodable {
        struct Page: Decodable {
            let totalCount: Int
            let result: [Records.Row]
        }
        let data: Page?
    }

    private func ask<T: Decodable>(_ client: SimulatorClient, _ path: String, _ body: [String: Any]) throws
        -> T
    {
        let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
        return try JSONDecoder().decode(T.self, from: Data(try client.post(json, path: path).body))
    }

    private func records(_ client: SimulatorClient, _ customer: String) throws -> [Int64]? {
        let reply: Records = try ask(
            client, "/api/v2/customer/follow/qw-list-by-customer", ["externalUserId": customer])
        return reply.data?.map(\.id)
    }

    @Test func eachCustomersRecordsAreServedWholeAndChangeWithTime() throws {
        let client = try SimulatorClient { ($0.rows, $0.deletes, $0.returns) = (60, 0.5, 0.5) }
        defer { client.simulator.stop() }
        var counts: [Int] = []
        for _ in 0..<4 {
            let truth = client.simulator.followRecords(at: client.clock.now)
            for (customer, rows) in Dictionary(grouping: truth, by: \.externalUserID) {
                #expect(try records(client, customer) == rows.map(\.id))
            }
            counts.append(truth.count)
            client.clock.advance(by: .seconds(8))
        }
        #expect(counts[0] > counts[1] && counts[3] > counts[1])
        let gone = client.simulator.deletedFollowRecords(at: client.clock.now)
        #expect(!gone.isEmpty)
        #expect(gone.count + client.simulator.followRecords(at: client.clock.now).count == counts[0])
    }

    @Test(arguments: [true, false]) func aCustomerWithoutRecordsIsAnsweredAsAskedFor(isNull: Bool) throws {
        let client = try SimulatorClient { $0.emptyIsNull = isNull }
        defer { client.simulator.stop() }
        #expect(try records(client, "wmNobody") == (isNull ? nil : []))
    }

    @Test(arguments: [true, false]) func filesAreNewestFirstBelowTheLastId(comesBack: Bool) throws {
        let client = try SimulatorClient { ($0.rows, $0.lastIDComesBack) = (300, comesBack) }
        defer { client.simulator.stop() }
        let all = client.simulator.customerFiles(at: client.clock.now)
        let groups = Dictionary(grouping: all) { "\($0.staff) \($0.customerID)" }
        let most = try #require(groups.values.max { $0.count < $1.count })
        var found: [Int64] = []
        while true {
            var body: [String: Any] = [
                "userId": most[0].staff, "customerId": most[0].customerID, "pageSize": 2,
            ]
            if let last = found.last { body["lastId"] = last }
            let page: Files = try ask(client, "/api/v3/customer/list-file-of-customer", body)
            let news = (page.data?.result ?? []).map(\.id).filter { !found.contains($0) }
            #expect(page.data?.totalCount == most.count)
            if news.isEmpty { break }
            found += news
        }
        #expect(most.count > 2 && found == most.map(\.id).sorted(by: >))
    }

    @Test func customersWhoComeBackAreNewRelationsAndOtherLosses() throws {
        let client = try SimulatorClient { ($0.rows, $0.comeBack) = (50, 0.5) }
        defer { client.simulator.stop() }
        let (relations, losses) = (
            client.simulator.relations(at: client.clock.now), client.simulator.outflows(at: client.clock.now)
        )
        client.clock.advance(by: .seconds(60))
        let later = client.simulator.relations(at: client.clock.now)
        #expect(Set(later.map(\.customerID)) == Set(relations.map(\.customerID)))
        #expect(Set(later.map(\.identity)).subtracting(relations.map(\.identity)).count > 10)
        let again = client.simulator.outflows(at: client.clock.now)
        #expect(Set(again.map(\.externalUserID)) == Set(losses.map(\.externalUserID)))
        #expect(Set(again.map(\.identity)).subtracting(losses.map(\.identity)).count > 10)
    }

    @Test func tooManyRequestsASecondAreRefusedAndCounted() throws {
        let client = try SimulatorClient { $0.tanmaPerSecond = 3 }
        defer { client.simulator.stop() }
        let statuses = try (0..<5).map { _ in try client.post().status }
        #expect(statuses == [200, 200, 200, 429, 429])
        client.clock.advance(by: .seconds(2))
        #expect(try client.post().status == 200)
        let load = client.simulator.statistics.tanma
        #expect(load.busiestSecond == 5 && load.refused == 2 && load.mostAtOnce == 1)
    }

    @Test func weibanBlocksItsListWhenAskedTooOftenAMinute() throws {
        let client = try SimulatorClient { ($0.weibanPerMinute, $0.weibanBlock) = (2, .seconds(60)) }
        defer { client.simulator.stop() }
        func code() throws -> Int? {
            let reply = try client.post("", path: "/open-api/external_user/list/outflow", method: "GET")
            let object = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any]
            return object?["errcode"] as? Int
        }
        #expect(try (0..<4).map { _ in try code() } == [10001, 10001, 10053, 10053])
        client.clock.advance(by: .seconds(61))
        #expect(try code() == 10001)
    }
}
