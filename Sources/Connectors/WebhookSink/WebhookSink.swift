package import EventModel
package import OutboundHTTP
package import Ports
import Services
package import Signing

/// Delivers single events to one endpoint: a signed POST as Standard Webhooks asks, judged by its status.
///
///     2xx                     accepted
///     413, 415                refused: this body will never do
///     anything else           tried again by the schedule; not before `Retry-After`, when there is one
package struct WebhookSink: EventSink {
    /// Where and how to deliver; all of it from the configuration.
    package struct Endpoint: Sendable {
        package var url: String
        package var signers: [WebhookSigner]
        package var headers: [(name: String, value: String)]
        package var timeout: Duration
        package var proxy: String?
        package var caFile: String?
        /// Whether addresses that are not public may be connected to.
        package var allowsPrivateAddresses = false

        package init(
            url: String, signers: [WebhookSigner], headers: [(name: String, value: String)],
            timeout: Duration,
            proxy: String?, caFile: String?
        ) {
            (self.url, self.signers, self.headers) = (url, signers, headers)
            (self.timeout, self.proxy, self.caFile) = (timeout, proxy, caFile)
        }
    }

    private let endpoint: Endpoint
    private let userAgent: String
    private let http: HTTPClient
    private let timekeeper: any Timekeeper

    /// The part of an answer's body that is read.
    static let maxAnswerBytes = 4096

    /// - Parameter version: the relay's, for `user-agent`.
    package init(_ endpoint: Endpoint, version: String, http: HTTPClient, timekeeper: any Timekeeper) {
        (self.endpoint, self.http, self.timekeeper) = (endpoint, http, timekeeper)
        userAgent = "Millrace/\(version)"
    }

    package func deliver(_ event: StoredEvent) async -> Outcome {
        do throws(OutboundError) {
            return Self.outcome(try await http.send(request(event)), now: timekeeper.now)
        } catch {
            return .retry(Outcome.Failure(reason: error.cause))
        }
    }

    private func request(_ event: StoredEvent) -> OutboundRequest {
        var request = OutboundRequest(
            .post, endpoint.url, timeout: endpoint.timeout, maxResponseBytes: Self.maxAnswerBytes)
        let id = event.id.text
        let timestamp = timekeeper.now.seconds
        let signatures = endpoint.signers.map { $0.signature(id: id, timestamp: timestamp, body: event.body) }
        request.headers =
            endpoint.headers + [
                ("content-type", "application/cloudevents+json; charset=UTF-8"), ("user-agent", userAgent),
                ("webhook-id", id), ("webhook-timestamp", String(timestamp)),
                ("webhook-signature", signatures.joined(separator: " ")),
            ]
        request.body = event.body
        request.overflow = .cut
        request.proxy = endpoint.proxy
        request.caFile = endpoint.caFile
        request.allowsPrivateAddresses = endpoint.allowsPrivateAddresses
        return request
    }

    static func outcome(_ response: OutboundResponse, now: Timestamp) -> Outcome {
        let failure = Outcome.Failure(status: response.status, reason: "HTTP status \(response.status)")
        switch response.status {
        case 200...299: return .accepted
        case 413, 415: return .refused(failure)
        default:
            let wait = response.header("retry-after").flatMap { HTTPDate.retryAfter($0, now: now) }
            return .retry(failure, notBefore: wait)
        }
    }
}
