import EventModel
import Foundation
import InboundHTTP
import OutboundHTTP
import Persisting
import Ports
import Signing
import Synchronization
import TestSupport
import Testing

@testable import WebhookSink

/// Pins what a request looks like in each mode, against a real receiver on loopback.
@Suite(.timeLimit(.minutes(1))) struct WebhookSinkTests {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    static let asymmetric =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="

    static func event(_ number: Int = 1) -> StoredEvent {
        let draft = EventDraft(
            relay: "acme", account: "a", kind: .visits, identity: "\(number)", time: Timestamp(seconds: 1000),
            subject: "unionid/客户 %1", data: Array(#"{"name":"客户🐶","data":{"x":1}}"#.utf8))
        let id = draft.id(revision: 1)
        return StoredEvent(
            offset: Int64(number), id: id, type: "visit.recorded", account: "a", kind: .visits,
            key: "unionid/x", recorded: Timestamp(seconds: 1), body: draft.encoded(id: id, revision: 1))
    }

    static func delivery(_ event: StoredEvent = event()) -> Delivery {
        Delivery(id: event.id.text, events: [event], isBatch: false, attempt: 1)
    }

    private static func deliver(
        _ delivery: Delivery = delivery(), secrets: [String] = [secret],
        clock: ManualClock = ManualClock("2026-11-01T00:00:00Z"),
        _ change: (inout WebhookSink.Settings) -> Void = { _ in },
        answer: @escaping @Sendable (InboundRequest, Responder) -> Void = {
            $1.answer(HTTPAnswer(status: 200, body: Array("thanks".utf8)))
        }
    ) async throws -> (request: InboundRequest?, result: AttemptResult) {
        let got = Mutex<InboundRequest?>(nil)
        let server = try HTTPServer(HTTPServer.Configuration()) { request, responder in
            got.withLock { $0 = request }
            answer(request, responder)
        }
        defer { server.stop() }
        var settings = WebhookSink.Settings(
            url: "http://127.0.0.1:\(server.port)/hooks?a=1",
            signers: secrets.compactMap { WebhookSigner(secret: $0).map { WebhookSink.Signer($0) } })
        settings.headers = [("x-tenant", "7")]
        settings.timeout = .seconds(5)
        settings.allowsPrivateAddresses = true
        change(&settings)
        let http = HTTPClient()
        let sink = WebhookSink(settings, version: "9.9", http: http, timekeeper: clock)
        let result = await withCheckedContinuation { continuation in
            sink.begin(delivery) { continuation.resume(returning: $0) }
        }
        http.close()
        return (got.withLock { $0 }, result)
    }

    @Test func requestIsSignedByEverySecretOverTheStoredBytes() async throws {
        let event = Self.event()
        let all = [Self.secret, Self.other, Self.asymmetric]
        let (got, result) = try await Self.deliver(secrets: all)
        let request = try #require(got)
        #expect(result.verdict == .accepted && result.status == 200 && result.answer == Array("thanks".utf8))
        #expect(request.method == "POST" && request.path == "/hooks" && request.query("a") == "1")
        #expect(request.body == event.body)
        #expect(request.headers["content-type"] == "application/cloudevents+json; charset=UTF-8")
        #expect(request.headers["user-agent"] == "Millrace/9.9")
        #expect(request.headers["x-tenant"] == "7")
        #expect(request.headers["webhook-id"] == event.id.text)
        #expect(request.headers["webhook-timestamp"] == "1793491200")
        #expect(request.headers["traceparent"]?.hasPrefix("00-\(event.id.bytes.hexadecimal)-") == true)
        let signature = try #require(request.headers["webhook-signature"])
        for secret in all {
            let signer = try #require(WebhookSigner(secret: secret))
            #expect(signer.verifies(signature, id: event.id.text, timestamp: 1_793_491_200, body: event.body))
        }
        #expect(signature.split(separator: " ").count == 3)
    }

    @Test func secretWhoseTimeIsOverSignsNoMore() async throws {
        let clock = ManualClock("2026-11-01T00:00:00Z")
        let (request, _) = try await Self.deliver(clock: clock) { settings in
            settings.signers = [
                (Self.secret, nil), (Self.other, clock.now), (Self.asymmetric, clock.now + .seconds(1)),
            ]
            .compactMap { secret, until in
                WebhookSigner(secret: secret).map { WebhookSink.Signer($0, until: until) }
            }
        }
        let versions = request?.headers["webhook-signature"]?.split(separator: " ").map {
            $0.split(separator: ",")[0]
        }
        #expect(versions == ["v1", "v1a"])
    }

    @Test func binaryModeCarriesAttributesAsHeadersAndTheDataAlone() async throws {
        let (got, _) = try await Self.deliver { $0.mode = .binary }
        let request = try #require(got)
        #expect(request.body == Array(#"{"name":"客户🐶","data":{"x":1}}"#.utf8))
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["ce-type"] == "visit.recorded" && request.headers["ce-specversion"] == "1.0")
        #expect(request.headers["ce-subject"] == "unionid/%E5%AE%A2%E6%88%B7%20%251")
        #expect(request.headers["ce-revision"] == "1" && request.headers["ce-datacontenttype"] == nil)
        let signer = try #require(WebhookSigner(secret: Self.secret))
        #expect(
            signer.verifies(
                request.headers["webhook-signature"] ?? "", id: Self.event().id.text,
                timestamp: 1_793_491_200,
                body: request.body))
    }

    @Test func dataModeCarriesTheDataAlone() async throws {
        let (request, _) = try await Self.deliver { $0.mode = .data }
        #expect(request?.body == Array(#"{"name":"客户🐶","data":{"x":1}}"#.utf8))
        #expect(request?.headers["content-type"] == "application/json")
        #expect(request?.headers["ce-type"] == nil)
    }

    @Test func batchIsAnArrayOfTheStoredBytes() async throws {
        let events = [Self.event(1), Self.event(2)]
        let batch = Delivery(id: "batch_1", events: events, isBatch: true, attempt: 1)
        let (request, _) = try await Self.deliver(batch)
        let expected =
            [UInt8(ascii: "[")] + events[0].body + [UInt8(ascii: ",")] + events[1].body + [UInt8(ascii: "]")]
        #expect(request?.body == expected)
        #expect(request?.headers["content-type"] == "application/cloudevents-batch+json; charset=UTF-8")
        #expect(request?.headers["webhook-id"] == "batch_1")
    }

    @Test func signatureIsOverTheBodyBeforeItIsCompressed() async throws {
        let (got, _) = try await Self.deliver { $0.isCompressed = true }
        let request = try #require(got)
        #expect(request.headers["content-encoding"] == "gzip")
        #expect(request.body.prefix(2) == [0x1F, 0x8B])
        let signer = try #require(WebhookSigner(secret: Self.secret))
        #expect(
            signer.verifies(
                request.headers["webhook-signature"] ?? "", id: Self.event().id.text,
                timestamp: 1_793_491_200,
                body: Self.event().body))
    }

    @Test func endlessAnswerIsCutAndJudgedByItsStatus() async throws {
        let (_, result) = try await Self.deliver(answer: {
            $1.answer(HTTPAnswer(status: 200, body: Array(repeating: 0x41, count: 5_000_000)))
        })
        #expect(result.verdict == .accepted && result.answer.count == 4096)
    }

    @Test func redirectIsNotFollowed() async throws {
        let (request, result) = try await Self.deliver(answer: {
            $1.answer(HTTPAnswer(status: 307, headers: ["Location": "/elsewhere"]))
        })
        #expect(request?.path == "/hooks" && result.verdict == .failed && result.status == 307)
    }

    @Test func droppedConnectionIsTriedAgain() async throws {
        let (_, result) = try await Self.deliver(answer: { $1.drop() })
        #expect(result.verdict == .failed && result.status == nil && !result.reason.isEmpty)
    }

    @Test func privateAddressIsRefusedAndSaysWhy() async throws {
        let (request, result) = try await Self.deliver { $0.allowsPrivateAddresses = false }
        #expect(request == nil && result.verdict == .failed && result.failure == .refusedAddress)
        #expect(result.reason.contains("loopback"))
    }
}
