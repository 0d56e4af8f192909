import EventModel
import InboundHTTP
import OutboundHTTP
import Persisting
import Ports
import Signing
import Synchronization
import TestSupport
import Testing

@testable import WebhookSink

/// Pins what a request looks like and what each answer means, against a real receiver on loopback.
@Suite(.timeLimit(.minutes(1))) struct WebhookSinkTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    private static func event() -> StoredEvent {
        let draft = EventDraft(
            relay: "acme", account: "a", kind: .visits, identity: "1", time: Timestamp(seconds: 1000),
            subject: "unionid/x",
            data: Array(#"{"name":"客户🐶"}"#.utf8))
        let id = draft.id(revision: 1)
        return StoredEvent(
            offset: 1, id: id, type: "visit.recorded", account: "a", kind: .visits, key: "unionid/x",
            recorded: Timestamp(seconds: 1), body: draft.encoded(id: id, revision: 1))
    }

    private static func sink(_ server: HTTPServer, _ clock: ManualClock, secrets: [String] = [secret])
        -> WebhookSink
    {
        var endpoint = WebhookSink.Endpoint(
            url: "http://127.0.0.1:\(server.port)/hooks?a=1",
            signers: secrets.compactMap { WebhookSigner(secret: $0) },
            headers: [("x-tenant", "7")], timeout: .seconds(5), proxy: nil, caFile: nil)
        endpoint.allowsPrivateAddresses = true
        return WebhookSink(endpoint, version: "9.9", http: HTTPClient(), timekeeper: clock)
    }

    @Test func requestIsSignedByEverySecretOverTheStoredBytes() async throws {
        let got = Mutex<InboundRequest?>(nil)
        let server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            got.withLock { $0 = request }
            responder.answer(HTTPAnswer(status: 200))
        }
        defer { server.stop() }
        let clock = ManualClock("2026-11-01T00:00:00Z")
        let event = Self.event()
        #expect(
            await Self.sink(server, clock, secrets: [Self.secret, Self.other]).deliver(event) == .accepted)
        let request = try #require(got.withLock { $0 })
        #expect(request.method == "POST" && request.path == "/hooks" && request.query("a") == "1")
        #expect(request.body == event.body)
        #expect(request.headers["content-type"] == "application/cloudevents+json; charset=UTF-8")
        #expect(request.headers["user-agent"] == "Millrace/9.9")
        #expect(request.headers["x-tenant"] == "7")
        #expect(request.headers["webhook-id"] == event.id.text)
        #expect(request.headers["webhook-timestamp"] == "1793491200")
        let signature = try #require(request.headers["webhook-signature"])
        #expect(signature.split(separator: " ").count == 2)
        for secret in [Self.secret, Self.other] {
            let signer = try #require(WebhookSigner(secret: secret))
            #expect(signer.verifies(signature, id: event.id.text, timestamp: 1_793_491_200, body: event.body))
        }
    }

    @Test(arguments: [
        (200, true, false), (204, true, false), (301, false, false), (400, false, false), (404, false, false),
        (408, false, false), (410, false, false), (413, false, true), (415, false, true), (429, false, false),
        (500, false, false), (503, false, false),
    ])
    func statusDecides(status: Int, isAccepted: Bool, isRefused: Bool) {
        let outcome = WebhookSink.outcome(
            OutboundResponse(status: status, headers: [], body: []), now: Timestamp(seconds: 0))
        switch outcome {
        case .accepted: #expect(isAccepted)
        case .refused(let failure): #expect(isRefused && failure.status == status)
        case .retry(let failure, let wait):
            #expect(!isAccepted && !isRefused && failure.status == status && wait == nil)
        }
    }

    @Test(arguments: [("120", 120), ("Sun, 01 Nov 2026 00:01:00 GMT", 60), ("999999999", 86_400)])
    func retryAfterIsReadInBothForms(header: String, seconds: Int) {
        let now = Timestamp(rfc3339: "2026-11-01T00:00:00Z") ?? Timestamp(seconds: 0)
        let response = OutboundResponse(status: 503, headers: [("retry-after", header)], body: [])
        guard case .retry(_, let wait) = WebhookSink.outcome(response, now: now) else {
            Issue.record("503 is tried again")
            return
        }
        #expect(wait == .seconds(seconds))
    }

    @Test func endlessAnswerIsCutAndJudgedByItsStatus() async throws {
        let server = try HTTPServer(HTTPServer.Configuration()) { _, responder in
            responder.answer(HTTPAnswer(status: 200, body: Array(repeating: 0x41, count: 5_000_000)))
        }
        defer { server.stop() }
        #expect(await Self.sink(server, ManualClock()).deliver(Self.event()) == .accepted)
    }

    @Test func droppedConnectionIsTriedAgain() async throws {
        let server = try HTTPServer(HTTPServer.Configuration()) { _, responder in responder.drop() }
        defer { server.stop() }
        guard case .retry(let failure, _) = await Self.sink(server, ManualClock()).deliver(Self.event())
        else {
            Issue.record("a dropped connection is tried again")
            return
        }
        #expect(failure.status == nil && !failure.reason.isEmpty)
    }
}
