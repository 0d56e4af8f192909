import Compression
import EventModel
import OutboundHTTP
import Ports
import Signing

/// What is sent: body and headers of a delivery in each mode, and of the handshake. Pure.
struct WebhookRequest: Sendable {
    private let settings: WebhookSink.Settings
    /// Everything that no delivery changes.
    private let template: OutboundRequest
    private let common: [(name: String, value: String)]

    /// The part of an answer's body that is read.
    static let maxAnswerBytes = 4096

    init(_ settings: WebhookSink.Settings, version: String) {
        self.settings = settings
        var request = OutboundRequest(
            .post, settings.url, timeout: settings.timeout, maxResponseBytes: Self.maxAnswerBytes)
        request.overflow = .cut
        (request.proxy, request.caFile) = (settings.proxy, settings.caFile)
        (request.certificateFile, request.keyFile) = (settings.certificateFile, settings.keyFile)
        request.allowsPrivateAddresses = settings.allowsPrivateAddresses
        var headers = settings.headers + [("user-agent", "Millrace/\(version)")]
        if let origin = settings.origin { headers.append(("webhook-request-origin", origin)) }
        common = headers
        if settings.isCompressed { headers.append(("content-encoding", "gzip")) }
        request.route = OutboundRoute(headers: headers)
        template = request
    }

    func post(_ delivery: Delivery, now: Timestamp) -> OutboundRequest {
        var request = template
        request.headers.reserveCapacity(6)
        let body = content(delivery, &request.headers)
        let timestamp = now.seconds
        var signatures = ""
        for signer in settings.signers where signer.until.map({ now < $0 }) ?? true {
            if !signatures.isEmpty { signatures += " " }
            signatures += signer.signer.signature(id: delivery.id, timestamp: timestamp, body: body)
        }
        request.headers.append(("webhook-id", delivery.id))
        request.headers.append(("webhook-timestamp", String(timestamp)))
        request.headers.append(("webhook-signature", signatures))
        request.headers.append(("traceparent", Self.traceparent(delivery)))
        if let replay = delivery.replay { request.headers.append(("millrace-replay", replay)) }
        request.body = settings.isCompressed ? Gzip.compress(body) : body
        return request
    }

    /// The body before any encoding, with the headers that say what it is.
    private func content(
        _ delivery: Delivery, _ headers: inout [(name: String, value: String)]
    ) -> [UInt8] {
        if delivery.isBatch {
            headers.append(("content-type", "application/cloudevents-batch+json; charset=UTF-8"))
            return Array("[".utf8) + Array(delivery.events.map(\.body).joined(separator: [UInt8(ascii: ",")]))
                + Array("]".utf8)
        }
        let body = delivery.events.first?.body ?? []
        switch settings.mode {
        case .structured:
            headers.append(("content-type", "application/cloudevents+json; charset=UTF-8"))
            return body
        case .data:
            headers.append(("content-type", "application/json"))
            return EventParts(body).map { Array($0.data) } ?? body
        case .binary:
            headers.append(("content-type", "application/json"))
            guard let parts = EventParts(body) else { return body }
            for (name, value) in parts.attributes where name != "datacontenttype" {
                headers.append(("ce-" + name, Self.percentEncoded(value)))
            }
            return Array(parts.data)
        }
    }

    /// The same trace for every attempt of a delivery, a span for each (W3C Trace Context, version 00).
    private static func traceparent(_ delivery: Delivery) -> String {
        guard let first = delivery.events.first else { return "" }
        let trace = first.id.bytes
        let attempt = [
            UInt8(truncatingIfNeeded: delivery.attempt >> 8), UInt8(truncatingIfNeeded: delivery.attempt),
        ]
        var text = ""
        text.reserveCapacity(55)
        text += "00-"
        text += trace.hexadecimal
        text += "-"
        text += (trace[8..<14] + attempt).hexadecimal
        text += "-01"
        return text
    }

    /// CloudEvents HTTP binding, section 3.1.3.2: everything but printable ASCII, and space, `"` and `%`.
    static func percentEncoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded += [byte].hexadecimal.uppercased().utf8
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    func options(perMinute: Double?) -> OutboundRequest {
        var request = template
        request.method = .options
        (request.route, request.headers) = (nil, common)
        if let perMinute {
            request.headers.append(("webhook-request-rate", String(max(1, Int(perMinute.rounded(.down))))))
        }
        return request
    }
}
