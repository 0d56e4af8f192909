import EventModel
import Foundation
import Ports
import Signing
import Testing

@testable import TanmaSource

/// Rows as vendors write them, and worse.
struct TanmaVisitNormalizerTests {
    /// A row with these fields instead of, or beside, the usual ones; nil leaves a key out.
    private static func row(_ changes: [String: String?] = [:]) -> [UInt8] {
        var fields = [
            "unionid": #""oU1""#, "customerId": "397158546743296", "nickname": #""Aoi""#, "avatar": "null",
            "mobile": #""16637238093""#, "contentType": #""1""#, "contentId": #""c1""#,
            "contentTitle": #""A title""#, "visitTime": #""2021-08-06 14:29:51""#, "viewDuration": "46",
            "viewTimes": "2", "qwUserId": #""staff""#, "createTime": #""2021-08-06 14:29:50""#,
            "shareFrom": #"{"type":1,"prevVisitorUnionId":null,"qwUserId":"s"}"#, "shareChainSteps": "null",
            "shareTo": "[]",
        ]
        for (key, value) in changes { fields[key] = value }
        let members = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        return Array("{\(members.joined(separator: ","))}".utf8)
    }

    private func normalized(_ changes: [String: String?] = [:]) throws -> NormalizedRow {
        try TanmaVisitNormalizer().normalize(Self.row(changes))
    }

    private func data(_ changes: [String: String?]) throws -> NSDictionary {
        let bytes = Data(try normalized(changes).data)
        return try #require(try JSONSerialization.jsonObject(with: bytes) as? NSDictionary)
    }

    private func value(_ path: String, _ changes: [String: String?]) throws -> NSObject? {
        let data: NSObject? = try data(changes)
        return path.split(separator: ".").reduce(data) { value, key in
            (value as? NSDictionary)?[String(key)] as? NSObject
        }
    }

    private func reason(_ row: [UInt8]) -> String? {
        do throws(RowError) {
            _ = try TanmaVisitNormalizer().normalize(row)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test(arguments: [
        ("visitor.union_id", "unionid"), ("visitor.customer_id", "customerId"),
        ("visitor.name", "nickname"), ("visitor.avatar_url", "avatar"), ("visitor.mobile", "mobile"),
        ("content.type", "contentType"), ("content.id", "contentId"), ("content.title", "contentTitle"),
        ("duration_seconds", "viewDuration"), ("view_count", "viewTimes"), ("staff.id", "qwUserId"),
        ("visitor_created_at", "createTime"), ("shared_from.type", "shareFrom"),
        ("shared_from.staff_id", "shareFrom"), ("share_chain", "shareChainSteps"),
    ])
    func nullEmptyAndMissingAreNothing(path: String, key: String) throws {
        for nothing in ["null", #""""#, nil] {
            #expect(try value(path, [key: nothing]) == NSNull(), "\(key) as \(nothing ?? "missing")")
        }
    }

    @Test(arguments: ["null", #""""#, #""[]""#, "[]", nil])
    func nothingSharedIsAnEmptyList(nothing: String?) throws {
        #expect(try value("shared_to", ["shareTo": nothing]) == [] as NSArray)
        if nothing != "[]" {
            #expect(try value("shared_from.type", ["shareFrom": nothing]) == NSNull())
        }
        #expect(try value("share_chain", ["shareChainSteps": nothing]) == NSNull())
    }

    @Test func theKeysAreAlwaysTheSame() throws {
        let keys = try #require(try data([:]).allKeys as? [String])
        let bare = TanmaVisit.Key.shareTo.rawValue
        let row = Array(#"{"visitTime":"2021-08-06 14:29:51","\#(bare)":null,"new":{"a":[1]}}"#.utf8)
        let bytes = Data(try TanmaVisitNormalizer().normalize(row).data)
        let object = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(object.keys.sorted() == keys.sorted())
        #expect((object["visitor"] as? [String: Any])?.count == 5)
        #expect((object["shared_from"] as? [String: Any])?.count == 3)
    }

    @Test(arguments: [
        (#""397158546743296""#, "397158546743296"), ("9007199254740993", "9007199254740993"),
        ("9223372036854775807", "9223372036854775807"), (#""-9223372036854775808""#, "-9223372036854775808"),
    ])
    func idsAreWholeInBothForms(written: String, published: String) throws {
        #expect(try value("visitor.customer_id", ["customerId": written]) == published as NSString)
    }

    @Test func textsStayAsTheyAre() throws {
        let long = String(repeating: "探", count: 3500)
        for name in ["Dowen🐶", "👩‍👩‍👧‍👦", "\u{202E}abc", "e\u{301}", long, #"<b>&'/"#] {
            #expect(try value("visitor.name", ["nickname": "\"\(name)\""]) == name as NSString)
        }
        #expect(
            try value("visitor.name", ["nickname": #""a\n\"\\\u0001\uD83D\uDC36""#]) == "a\n\"\\\u{1}🐶"
                as NSString)
        #expect(try value("content.type", ["contentType": "4"]) == "4" as NSString)
    }

    @Test(arguments: [
        ("2020-02-29 08:00:00", "2020-02-29T00:00:00Z"), ("2021-08-07 00:00:00", "2021-08-06T16:00:00Z"),
        ("2021-01-01 07:59:59", "2020-12-31T23:59:59Z"), ("1986-07-01 12:00:00", "1986-07-01T04:00:00Z"),
    ])
    func timesAreAtUTCPlus8(local: String, utc: String) throws {
        let row = try normalized(["visitTime": "\"\(local)\""])
        #expect(row.time.rfc3339 == utc)
        #expect(try value("visited_at", ["visitTime": "\"\(local)\""]) == utc as NSString)
        #expect(row.identity.contains(local))
    }

    @Test(arguments: [
        "2021-02-29 00:00:00", "2021-13-01 00:00:00", "2021-00-10 00:00:00", "2021-04-31 00:00:00",
        "2021-08-06 24:00:00", "2021-08-06 23:60:00", "2021-08-06 23:59:60", "2021-08-06T14:29:51",
        "2021-08-06 14:29", "2021-08-06 14:29:51.0", "2021-8-6 14:29:51", "１０21-08-06 14:29:51", "soon",
        "1628231391000",
    ])
    func timesThatAreNoneAreRefused(text: String) {
        for key in ["visitTime", "createTime"] {
            let refusal = reason(Self.row([key: "\"\(text)\""]))
            #expect(refusal?.hasPrefix("\(key): ") == true)
            #expect(refusal?.contains(text) == false)
        }
    }

    @Test(arguments: ["null", #""""#, nil])
    func aVisitWithoutATimeIsRefused(nothing: String?) {
        #expect(reason(Self.row(["visitTime": nothing])) == "visitTime: missing")
    }

    @Test(arguments: [
        ("nickname", #""16637238093\ud83d""#), ("nickname", "\"16637238093\u{1}\""),
        ("viewDuration", "100000000000000000000000000042"), ("customerId", "16637238093.5"),
        ("customerId", #""16637238093x""#), ("customerId", #"" 16637238093""#), ("mobile", "true"),
        ("mobile", "[16637238093]"), ("unionid", #"{"a":16637238093}"#), ("shareFrom", #""16637238093""#),
        ("shareFrom", "[16637238093]"), ("shareTo", "100000000000000000000000000042e999"),
        ("viewTimes", "1e"),
    ])
    func whatCannotBeReadIsRefusedWithoutItsValue(key: String, value: String) throws {
        let refusal = try #require(reason(Self.row([key: value])))
        #expect(!refusal.contains("16637238093") && !refusal.contains("00000042"))
    }

    @Test(arguments: ["", "null", "7", "[]", #""text""#, "{", #"{"a":}"#, "{}"])
    func whatIsNoVisitIsRefused(row: String) {
        #expect(reason(Array(row.utf8)) != nil)
    }

    @Test func brokenUTF8IsRefused() {
        #expect(reason(Self.row(["nickname": #""AAAA""#]).map { $0 == UInt8(ascii: "A") ? 0xFF : $0 }) != nil)
    }

    @Test func theIdentityIsThePagesFieldsInItsOrder() throws {
        #expect(try normalized().identity == "oU1\n1\nc1\n2021-08-06 14:29:51\n2")
        #expect(
            try normalized(["contentId": "null", "viewTimes": nil]).identity
                == "oU1\n1\n\n2021-08-06 14:29:51\n")
        #expect(
            try normalized(["unionid": "null"]).identity
                == "1\nc1\n2021-08-06 14:29:51\n2\n2021-08-06 14:29:50\nAoi")
        #expect(
            try normalized(["unionid": #""""#, "nickname": nil, "createTime": "null"]).identity
                == "1\nc1\n2021-08-06 14:29:51\n2\n\n")
    }

    @Test func whatChangesLaterIsNoPartOfTheIdentity() throws {
        let later: [String: String?] = [
            "viewDuration": "99", "customerId": "7", "mobile": "null", "qwUserId": #""x""#, "avatar": #""y""#,
            "shareTo": #"["a"]"#, "contentTitle": #""z""#, "nickname": #""n""#,
        ]
        #expect(try normalized(later).identity == normalized().identity)
        #expect(try normalized(later).data != normalized().data)
    }

    @Test func theSubjectIsTheCustomerAsWellAsItIsKnown() throws {
        #expect(try normalized().subject == "unionid/oU1")
        #expect(try normalized(["unionid": "null"]).subject == "customer/397158546743296")
        let row = try normalized(["unionid": "null", "customerId": #""""#])
        let hash = Digest.sha256(Array(row.identity.utf8)).hexadecimal
        #expect(row.subject == "visitor/\(hash.prefix(16))")
    }

    @Test func whoItWasSharedToIsAListOfTexts() throws {
        let written = #"["u1",null,"",{"b":2,"a":"x/y"},7,[true]]"#
        let published = ["u1", #"{"a":"x/y","b":2}"#, "7", "[true]"] as NSArray
        #expect(try value("shared_to", ["shareTo": written]) == published)
        #expect(try value("shared_to", ["shareTo": #""u9""#]) == ["u9"] as NSArray)
    }

    @Test func theShareChainIsANumberOrAText() throws {
        #expect(try value("share_chain", ["shareChainSteps": "3"]) == 3 as NSNumber)
        #expect(try value("share_chain", ["shareChainSteps": #""a>b""#]) == "a>b" as NSString)
        #expect(
            try value("share_chain", ["shareChainSteps": #"["a",{"n":1}]"#]) == #"["a",{"n":1}]"# as NSString)
    }

    @Test func theSameBytesGiveTheSameRow() throws {
        #expect(try normalized() == normalized())
    }
}
