package import EventModel
package import OutboundHTTP
package import Ports
import Services
package import Signing

/// One subscriber's endpoint: signed POSTs as Standard Webhooks asks, judged by their status.
///
/// `WebhookRequest` says what is sent, `WebhookAnswer` what the answer means. Nothing here remembers anything: retries,
/// circuit and pace belong to the publishing room.
package struct WebhookSink: Endpoint {
    private let settings: Settings
    private let request: WebhookRequest
    private let http: HTTPClient
    private let timekeeper: any Timekeeper

    /// Where and how to deliver.
    package struct Settings: Sendable {
        package enum Mode: Sendable { case structured, binary, data }

        package var url: String
        /// Every one of them signs.
        package var signers: [Signer]
        package var headers: [(name: String, value: String)] = []
        package var timeout: Duration = .seconds(15)
        package var mode = Mode.structured
        package var isCompressed = false
        /// What the handshake calls the relay; nil when there is none.
        package var origin: String?
        package var proxy: String?
        package var caFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        /// Whether addresses that are not public may be connected to.
        package var allowsPrivateAddresses = false

        package init(url: String, signers: [Signer]) {
            (self.url, self.signers) = (url, signers)
        }
    }

    /// A secret and how long it signs.
    package struct Signer: Sendable {
        package let signer: WebhookSigner
        /// Nil is for ever.
        package let until: Timestamp?

        package init(_ signer: WebhookSigner, until: Timestamp? = nil) {
            (self.signer, self.until) = (signer, until)
        }
    }

    /// - Parameter version: the relay's, for `user-agent`.
    package init(_ settings: Settings, version: String, http: HTTPClient, timekeeper: any Timekeeper) {
        (self.settings, self.http, self.timekeeper) = (settings, http, timekeeper)
        request = WebhookRequest(settings, version: version)
    }

    package func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void) {
        http.begin(request.post(delivery, now: timekeeper.now)) { [timekeeper] result in
            done(WebhookAnswer.judge(result, now: timekeeper.now))
        }
    }

    package func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void) {
        let origin = settings.origin ?? ""
        http.begin(request.options(perMinute: perMinute)) { [timekeeper] result in
            done(WebhookAnswer.consent(result, origin: origin, now: timekeeper.now))
        }
    }
}
