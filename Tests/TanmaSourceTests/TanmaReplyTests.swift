import EventModel
import OutboundHTTP
import Ports
import Testing

@testable import TanmaSource

struct TanmaReplyTests {
    private static let now = Timestamp(seconds: 1_790_000_000)

    private func reply(
        _ body: String, status: Int = 200, headers: [(name: String, value: String)] = []
    ) throws(SourceError) -> TanmaReply {
        try TanmaReply(
            OutboundResponse(status: status, headers: headers, body: Array(body.utf8)), now: Self.now,
            doing: "read")
    }

    private func failure(
        _ body: String, status: Int = 200, headers: [(name: String, value: String)] = []
    ) -> SourceError.Kind? {
        do throws(SourceError) {
            _ = try reply(body, status: status, headers: headers).successful(doing: "read")
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func rowsAndCursorComeOutOfAPage() throws {
        let text = #"{"code":0,"message":"ok","data":{"list":[{"a":1},{"a":[2]}],"nextCursor":"abc"}}"#
        let reply = try reply(text).successful(doing: "read")
        #expect(reply.rows == [#"{"a":1}"#, #"{"a":[2]}"#].map { Array($0.utf8) })
        #expect(reply.nextCursor == "abc")
        #expect(reply.vendorTime == nil)
    }

    @Test func theVendorsTimeIsTheRepliesDate() throws {
        let headers = [(name: "date", value: "Sun, 06 Nov 1994 08:49:37 GMT")]
        let reply = try reply(#"{"code":0,"data":{"list":[]}}"#, headers: headers)
        #expect(reply.vendorTime == Timestamp(rfc3339: "1994-11-06T08:49:37Z"))
        #expect(try self.reply("{\"code\":0}", headers: [(name: "date", value: "soon")]).vendorTime == nil)
    }

    @Test(arguments: [
        #"{"code":0,"data":{"list":[]}}"#, #"{"code":"0","data":{"list":null,"nextCursor":null}}"#,
        #"{"code":0,"data":{"list":"[]","nextCursor":""}}"#,
        #"{"data":{"nextCursor":"","list":""},"code":0}"#,
    ])
    func nothingIsAnEmptyPage(body: String) throws {
        let reply = try reply(body).successful(doing: "read")
        #expect(reply.rows.isEmpty && reply.nextCursor == nil)
    }

    @Test(arguments: [
        #"{"code":0}"#, #"{"code":0,"data":null}"#, #"{"code":0,"data":{}}"#, #"{"code":0,"data":"[]"}"#,
        #"{"code":0,"data":[]}"#, #"{"code":0,"data":7}"#, #"{"code":0,"data":{"list":{"a":1}}}"#,
        #"{"code":0,"data":{"list":"rows"}}"#, #"{"code":0,"data":{"li\u0073t":[{"a":1}]}}"#,
        #"{"data":{"list":[]}}"#, #"{"code":null,"data":{"list":[]}}"#, #"{"code":0.5,"data":{"list":[]}}"#,
        #"{"code":0,"data":{"list":[{"a":1}"#, "", "[]", "null", "<html></html>",
        #"{"code":0,"data":{"list":[]}}}"#,
    ])
    func whatIsNotTheDocumentedEnvelopeIsMalformed(body: String) {
        #expect(failure(body) == .malformed)
    }

    @Test(arguments: [
        (#"{"code":1000,"message":"ok","data":{"list":[{"a":1}]}}"#, SourceError.Kind.code(1000)),
        (#"{"code":-1,"data":"whatever"}"#, .code(-1)),
        (#"{"code":"1001","data":null}"#, .code(1001)),
        (#"{"code":1002}"#, .credentials),
        (#"{"code":1003}"#, .credentials),
    ])
    func aCodeUnderStatus200IsNoSuccess(body: String, kind: SourceError.Kind) {
        #expect(failure(body) == kind)
    }

    @Test(arguments: [
        (500, [], SourceError.Kind.transport),
        (404, [], .transport),
        (302, [], .transport),
        (429, [], .throttled(after: nil)),
        (429, ["soon"], .throttled(after: nil)),
        (429, ["7"], .throttled(after: .seconds(7))),
        (429, ["Mon, 21 Sep 2026 14:14:20 GMT"], .throttled(after: .seconds(60))),
        (429, ["Sun, 06 Nov 1994 08:49:37 GMT"], .throttled(after: .zero)),
        (503, ["30"], .throttled(after: .seconds(30))),
    ])
    func aStatusIsJudgedBeforeTheBody(status: Int, retryAfter: [String], kind: SourceError.Kind) {
        let headers = retryAfter.map { (name: "retry-after", value: $0) }
        #expect(failure(#"{"code":0,"data":{"list":[]}}"#, status: status, headers: headers) == kind)
    }

    @Test func aRetryDateIsMeasuredByTheVendorsClock() {
        let headers = [
            (name: "retry-after", value: "Sun, 06 Nov 1994 08:50:00 GMT"),
            (name: "date", value: "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]
        #expect(failure("", status: 429, headers: headers) == .throttled(after: .seconds(23)))
    }

    @Test func noMessageHoldsAnythingOfTheBody() {
        for body in [#"{"code":"16637238093x"}"#, #"{"code":9,"message":"16637238093"}"#, "16637238093"] {
            do throws(SourceError) {
                _ = try reply(body).successful(doing: "read")
                Issue.record("\(body) is no success")
            } catch {
                #expect(!error.description.contains("16637238093"))
            }
        }
    }
}
