import Foundation
import RowDecoding
import TestSupport
import Testing

/// The five sources side by side, from the vendors' own samples and from nasty rows to the log: the golden events, value for
/// value, and every event valid in the eyes of an independent validator.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct AllSourcesTests {
    private static let external = "wmPBvlDQAAAtqjxUNvuEL5CRio1NWNXA"
    private static let long = String(repeating: "备注🐶", count: 1200)
    private static let names = [
        "tanma-visits", "tanma-relations", "tanma-follow-records", "tanma-customer-files", "weiban-outflow",
    ]

    private static func fixture(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: Millrace.file("Tests/Fixtures/\(name)"))))
    }

    /// The sample's rows as they stand, each with the value of one of its fields.
    private static func sample(
        _ name: String, _ path: [String], by field: String
    ) throws -> [SampleVendor.Row] {
        let slices = try RowSlicer.slice(try fixture("\(name).response.json"), path: path)
            .unwrapped("the sample has no rows")
        return try slices.rows.map { bytes in
            let row = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            return SampleVendor.Row(
                selector: try row?[field].map { "\($0)" }.unwrapped("a row lacks \(field)") ?? "",
                type: (row?["type"] as? NSNumber)?.int64Value ?? 0,
                json: String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func samples() throws -> SampleVendor.Rows {
        SampleVendor.Rows(
            visits: try sample("tanma-visits", ["data", "list"], by: "visitTime"),
            relations: try sample("tanma-relations", ["data", "list"], by: "createTime"),
            followRecords: try sample("tanma-follow-records", ["data"], by: "externalUserId"),
            files: try sample("tanma-customer-files", ["data", "result"], by: "customerId"),
            outflows: try sample("weiban-outflow", ["external_user_list"], by: "outflow_at"))
    }

    /// Relations that lead to the samples' customers, older than where the relations source begins.
    private static let introductions = [
        SampleVendor.Row(
            selector: "2019-05-01 00:00:00", type: 1,
            json: #"{"customerId":1,"qwUserId":"LiuFuLai","type":1,"createTime":"2019-05-01 00:00:00","#
                + #""externalUserId":"\#(external)"}"#),
        SampleVendor.Row(
            selector: "2019-05-02 00:00:00", type: 2,
            json: #"{"customerId":"460155938357312","qwUserId":"dowen","createTime":"2019-05-02 00:00:00"}"#),
    ]

    /// Null, "", "[]", texts for numbers, numbers for texts, ids beyond 2^53, emoji, long texts, leap days, midnight.
    private static var nasty: SampleVendor.Rows {
        SampleVendor.Rows(
            visits: [
                .init(
                    selector: "2024-02-29 00:00:00",
                    json: #"{"unionid":null,"customerId":"9007199254740993","contentType":4,"contentId":"","#
                        + #""visitTime":"2024-02-29 00:00:00","viewDuration":"12","viewTimes":"1","shareFrom":"[]","#
                        + #""shareTo":"[]","contentTitle":"🐶\u0000\ud83d\ude00","nickname":"\#(long)"}"#),
                .init(
                    selector: "2024-02-29 23:59:59",
                    json:
                        #"{"visitTime":"2024-02-29 23:59:59","customerId":9223372036854775807,"nickname":""}"#
                ),
            ],
            relations: [
                .init(
                    selector: "2024-02-29 00:00:00", type: 1,
                    json:
                        #"{"customerId":"9223372036854775807","createTime":"2024-02-29 00:00:00","fields":"[]","#
                        + #""tagIds":["7",8,null],"companyInfo":"","lastUpdateTime":"","qwRemark":"\#(long)","#
                        + #""qwUserId":"","externalUserId":"wmNasty","type":"1"}"#),
                .init(
                    selector: "2024-02-29 00:00:01", type: 2,
                    json:
                        #"{"customerId":77,"createTime":"2024-02-29 00:00:01","type":9,"fields":[{"field":"m","type":8,"#
                        + #""valueAsText":"[\"1\",2]"},{"field":null,"type":"3","valueAsText":20240229}]}"#),
            ],
            followRecords: [
                .init(
                    selector: "wmNasty",
                    json:
                        #"{"id":"9007199254740993","externalUserId":"wmNasty","content":"\#(long)","followType":"7","#
                        + #""gmtCreateTime":"2024-02-29 00:00:00","qwUserId":""}"#),
                .init(
                    selector: "wmNasty",
                    json:
                        #"{"id":2,"externalUserId":"wmNasty","content":null,"gmtCreateTime":"1999-12-31 23:59:59"}"#
                ),
            ],
            files: [
                .init(
                    selector: "460155938357312",
                    json: #"{"id":"9223372036854775807","customerId":"460155938357312","fileContent":"","#
                        + #""createTime":"2024-02-29 00:00:00","operatorId":"12","authorName":"","followContent":"\#(long)"}"#
                ),
                .init(
                    selector: "460155938357312",
                    json: #"{"id":3,"customerId":460155938357312,"fileContent":{"name":"🐶","size":29},"#
                        + #""createTime":"2000-02-29 00:00:00","fileName":42}"#),
            ],
            outflows: [
                .init(
                    selector: "1709136000",
                    json: #"{"id":"wmX","outflow_at":"1709136000","tags":"[]","score":"","gender":"1","#
                        + #""staff_relation":{"staff_ext_id":"s","external_user_ext_id":"wmX","remark":"\#(long)","#
                        + #""deleted_at":1709136000},"staff":null,"name":"🐶"}"#)
            ])
    }

    private func relay(_ vendor: SampleVendor) throws -> Relay {
        let relay = try Relay(RelayConfiguration(accounts: []))
        try relay.write(
            """
            relay: {name: acme}
            store: {url: "sqlite:./data/millrace.db"}
            log: {level: info, format: text}
            accounts:
              - {name: acme-tanma, vendor: tanma, base_url: "\(vendor.tanmaURL)", app_id: a_b, app_key: k,
                 requests_per_second: 500}
              - {name: acme-weiban, vendor: weiban, base_url: "\(vendor.weibanURL)", corp_id: "1", secret: s,
                 requests_per_second: 5}
            sources:
              - {name: visits, account: acme-tanma, kind: tanma.visits, every: 1s, start: "2021-01-01T00:00:00+08:00"}
              - {name: relations, account: acme-tanma, kind: tanma.relations, every: 1s,
                 start: "2021-01-01T00:00:00+08:00"}
              - {name: follow, account: acme-tanma, kind: tanma.follow_records, every: 1s}
              - {name: files, account: acme-tanma, kind: tanma.customer_files, every: 1s}
              - {name: outflow, account: acme-weiban, kind: weiban.outflow, every: 1s,
                 start: "2024-01-01T00:00:00+08:00"}
            """)
        return relay
    }

    /// Runs a relay on the rows until it has so many events, and hands them over.
    private func events(_ rows: SampleVendor.Rows, _ count: Int) async throws -> (Relay, [LogEvent]) {
        let vendor = try SampleVendor(rows)
        let relay = try relay(vendor)
        let process = try await relay.run()
        try await eventually("all \(count) rows are in the log") { try await relay.events().count >= count }
        #expect(try await Relay.stop(process) == .exited(0))
        return (relay, try await relay.events())
    }

    @Test func theVendorsSamplesBecomeTheGoldenEvents() async throws {
        var rows = try Self.samples()
        rows.relations = Self.introductions + rows.relations
        let golden = try Self.names.flatMap { name in
            let list = try JSONSerialization.jsonObject(with: Data(Self.fixture("\(name).events.json")))
            return try (list as? [NSDictionary]).unwrapped("\(name): no list of events")
        }
        let (_, events) = try await events(rows, golden.count)
        #expect(golden.count == 32)
        #expect(Set(try events.map { try $0.values() }) == Set(golden))
    }

    @Test func nastyRowsOfEverySourceAreReadAndValid() async throws {
        var rows = Self.nasty
        rows.relations = [Self.introductions[1]] + rows.relations
        let (relay, events) = try await events(rows, 9)
        #expect(events.count == 9, "\(events.map(\.type))")
        #expect(try await relay.status().store.quarantined == 0)
        let finished = try await Validator.run(events, in: relay.folder)
        #expect(finished.exitCode == 0 && finished.lines == ["9"], "\(finished.errors)")
    }
}
