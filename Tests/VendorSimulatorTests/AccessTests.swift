import EventModel
import Foundation
import Testing

@testable import VendorSimulator

/// Who is let in. Real: the simulator behind its HTTP server.
@Suite(.timeLimit(.minutes(1)))
struct AccessTests {
    private static let access = TanmaAccess(appID: "ww0123456789abcdef_Demo01", appKey: "demoAppKey")

    @Test(arguments: [
        (
            #"{"since":"2021-08-06 14:00:00","before":"2021-08-06 17:00:00","size":100}"#,
            "75ef5a2209f976ed900dd65db318f9e4e746022984aa970927ac7fd54cc21b6b"
        ),
        ("", "301220f9345f335caeeeee0895d9449f2778d54bd7c65ed1491b3e38f0a49164"),
    ])
    func signaturesAreThoseOfThePublishedVectors(body: String, signature: String) {
        #expect(Self.access.signature(timestamp: "1700000000000", body: Array(body.utf8)) == signature)
    }

    @Test func aSignedRequestIsLetIn() throws {
        let client = try SimulatorClient()
        #expect(try client.page().code == 0)
    }

    @Test(arguments: ["appId", "timestamp", "sign"])
    func aMissingOrWrongHeaderIsCode1002(header: String) throws {
        let client = try SimulatorClient()
        for value in [nil, "1234"] {
            let reply = try client.post { $0[header] = value }
            #expect(reply.status == 200)
            #expect(reply.text.hasPrefix(#"{"code":1002,"message":""#))
            #expect(reply.text.hasSuffix(#","data":null}"#))
        }
        #expect(client.simulator.statistics.signatureRefusals == 2)
    }

    @Test func aWrongKeyIsCode1002() throws {
        var client = try SimulatorClient()
        client.appKey = "another"
        #expect(try client.page().code == 1002)
    }

    @Test(arguments: [(-301, 1003), (-300, 0), (300, 0), (301, 1003)])
    func aTimestampMoreThanFiveMinutesOffIsCode1003(offset: Int, code: Int) throws {
        let client = try SimulatorClient()
        let body = #"{"since":"2026-01-01 00:00:00"}"#
        let stamp = String(client.clock.now.milliseconds + Int64(offset) * 1000)
        let reply = try client.post(body) {
            $0["timestamp"] = stamp
            $0["sign"] = Self.access.signature(timestamp: stamp, body: Array(body.utf8))
        }
        #expect(try JSONDecoder().decode(SimulatorClient.Page.self, from: Data(reply.body)).code == code)
    }

    @Test func otherPathsAre404AndOtherMethods405() throws {
        let client = try SimulatorClient()
        #expect(try client.post(path: "/api/v3/other").status == 404)
        #expect(try client.post(path: "/apiServer").status == 404)
        let refused = try client.post(method: "GET")
        #expect(refused.status == 405)
        #expect(refused.header("Allow") == "POST")
        #expect(try client.post(path: "/apiServer" + SimulatorClient.path).status == 200)
        #expect(client.simulator.baseURL == "http://127.0.0.1:\(client.simulator.port)/apiServer")
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"since":null}"#, #"{"since":"2026-01-01"}"#,
        #"{"since":"2026-01-01 00:00:00","before":"x"}"#, #"{"since":"2026-01-01 00:00:00","size":0}"#,
        #"{"since":"2026-01-01 00:00:00","cursor":"AAAA"}"#,
        #"{"since":"2026-01-01 00:00:00","cursorBo":{"time":"x","id":1}}"#,
        #"{"since":"2026-01-01 00:00:00","cursor":"AAAAAGEM7ZcAAAAAAAAAAAABaTauGSAA","#
            + #""cursorBo":{"time":"2026-01-01 00:00:00","id":1}}"#,
    ])
    func aRequestThatMakesNoSenseIsACodeAndNeverAnEmptyPage(body: String) throws {
        let client = try SimulatorClient()
        let reply = try client.post(body)
        #expect(reply.status == 200)
        let page = try JSONDecoder().decode(SimulatorClient.Page.self, from: Data(reply.body))
        #expect(page.code == 1001)
        #expect(page.data == nil)
    }

    @Test func aContentTypeOtherThanJSONIsACode() throws {
        let client = try SimulatorClient()
        let reply = try client.post {
            $0["Content-Type"] = "text/plain"
        }
        #expect(try JSONDecoder().decode(SimulatorClient.Page.self, from: Data(reply.body)).code == 1001)
    }
}
