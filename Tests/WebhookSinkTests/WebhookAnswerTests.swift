import EventModel
import OutboundHTTP
import Ports
import Testing

@testable import WebhookSink

/// Pins the table of answers (contract, section 6).
@Suite struct WebhookAnswerTests {
    private static let now = Timestamp(rfc3339: "2026-11-01T00:00:00Z") ?? Timestamp(seconds: 0)

    private static func judge(_ status: Int, _ headers: [(name: String, value: String)] = []) -> AttemptResult
    {
        WebhookAnswer.judge(
            .success(OutboundResponse(status: status, headers: headers, body: [])), now: now)
    }

    @Test(arguments: [
        (200, AttemptResult.Verdict.accepted), (202, .accepted), (204, .accepted), (299, .accepted),
        (101, .failed), (300, .failed), (301, .failed), (304, .failed), (307, .failed), (400, .failed),
        (401, .failed),
        (404, .failed), (408, .failed), (409, .failed), (410, .gone), (413, .tooLarge), (415, .refused),
        (422, .failed), (425, .failed), (429, .overloaded), (500, .failed), (501, .failed),
        (502, .overloaded),
        (503, .overloaded), (504, .overloaded), (507, .failed), (599, .failed),
    ])
    func statusDecides(status: Int, verdict: AttemptResult.Verdict) {
        let result = Self.judge(status)
        #expect(result.verdict == verdict && result.status == status && result.retryAfter == nil)
    }

    @Test(
        arguments: [("120", 120), ("Sun, 01 Nov 2026 00:01:00 GMT", 60), ("999999999", 86_400), ("0", 0)],
        [400, 410, 413, 429, 500, 503, 302])
    func retryAfterIsReadInBothFormsOnEveryRefusal(header: (String, Int), status: Int) {
        let result = Self.judge(status, [("retry-after", header.0)])
        #expect(result.retryAfter == .seconds(header.1))
    }

    @Test func retryAfterOnASuccessMeansNothing() {
        #expect(Self.judge(200, [("retry-after", "60")]).retryAfter == nil)
    }

    @Test(arguments: [
        (OutboundError.Kind.timeout, AttemptResult.Failure.timeout), (.connect, .connect),
        (.resolve, .resolve),
        (.tls, .tls), (.broken, .broken), (.refusedAddress, .refusedAddress), (.unusable, .unusable),
        (.other(7), .other),
    ])
    func errorsAreTriedAgain(kind: OutboundError.Kind, failure: AttemptResult.Failure) {
        let result = WebhookAnswer.judge(.failure(OutboundError(kind, cause: "x")), now: Self.now)
        #expect(result.verdict == .failed && result.failure == failure && result.reason == "x")
    }

    @Test(arguments: [OutboundError.Kind.cancelled, .closed]) func whatTheRelayEndedWasNoAttempt(
        kind: OutboundError.Kind
    ) {
        #expect(
            WebhookAnswer.judge(.failure(OutboundError(kind, cause: "x")), now: Self.now).verdict
                == .abandoned)
    }

    static let consents: [([(name: String, value: String)], Consent?)] = [
        ([("webhook-allowed-origin", "*")], .granted(perMinute: nil)),
        (
            [("webhook-allowed-origin", "Acme.Millrace"), ("webhook-allowed-rate", "120")],
            .granted(perMinute: 120)
        ),
        ([("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "*")], .granted(perMinute: nil)),
        ([("webhook-allowed-origin", "other.example.com")], nil),
        ([], nil),
    ]

    @Test(arguments: consents.indices, [200, 405, 500]) func headersConsentAndTheStatusDoesNot(
        place: Int, status: Int
    ) {
        let (headers, expected) = Self.consents[place]
        let consent = WebhookAnswer.consent(
            .success(OutboundResponse(status: status, headers: headers, body: [])), origin: "acme.millrace",
            now: Self.now)
        if let expected {
            #expect(consent == expected)
        } else if case .granted = consent {
            Issue.record("no consent was given")
        }
    }
}
