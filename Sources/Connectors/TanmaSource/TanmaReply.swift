import EventModel
import Foundation
import OutboundHTTP
import Ports
import RowDecoding

/// A reply of Tanma's, cut into envelope and rows, judged by its body and not by its status alone.
struct TanmaReply: Sendable {
    static let signatureRefused: Int64 = 1002
    static let clockSkew: Int64 = 1003

    let code: Int64
    let rows: [[UInt8]]
    let nextCursor: String?
    /// Whether the payload was there at all: a success without one is none.
    let hasList: Bool
    let vendorTime: Timestamp?

    /// - Throws: `.transport` for a status other than 2xx, `.throttled` for 429 and for any refusal with `Retry-After`,
    ///   `.malformed` for a body that is not the documented envelope.
    init(_ response: OutboundResponse, now: Timestamp, doing: String) throws(SourceError) {
        let vendorTime = response.header("date").flatMap(HTTPDate.parse)
        guard (200...299).contains(response.status) else {
            let cause = "HTTP status \(response.status)"
            let wait = response.header("retry-after").flatMap {
                HTTPDate.retryAfter($0, now: vendorTime ?? now)
            }
            if response.status == 429 || wait != nil {
                throw SourceError(.throttled(after: wait), doing: doing, cause: cause)
            }
            throw SourceError(.transport, doing: doing, cause: cause)
        }
        guard let slices = RowSlicer.slice(response.body, path: ["data", "list"]) else {
            throw SourceError(.malformed, doing: doing, cause: "the reply is cut off or no JSON")
        }
        do {
            let envelope = try VendorRow<EnvelopeKey>.read(slices.envelope)
            guard let code = try envelope.integer(.code) else { throw RowError("code: missing") }
            let data = code == 0 ? try envelope.object(.data, keyedBy: DataKey.self) : nil
            self.code = code
            nextCursor = try data?.text(.nextCursor)
            hasList = try data.map(Self.hasList) ?? false
        } catch {
            throw SourceError(
                .malformed, doing: doing, cause: "the reply's envelope cannot be read: \(error)")
        }
        rows = slices.rows
        self.vendorTime = vendorTime
    }

    /// The rows are cut out of the envelope, so that their list is empty here; what else means nothing is no list, too.
    private static func hasList(_ data: VendorFields<DataKey>) throws(RowError) -> Bool {
        switch try data.anything(.list) {
        case nil: return data.contains(.list)
        case .array([]), .text("[]"): return true
        default: throw RowError("list: not a list of rows")
        }
    }

    /// The reply itself when it is a success.
    func successful(doing: String) throws(SourceError) -> TanmaReply {
        switch code {
        case 0:
            guard hasList else {
                throw SourceError(.malformed, doing: doing, cause: "code 0 without a list of rows")
            }
            return self
        case Self.signatureRefused:
            throw SourceError(
                .credentials, doing: doing,
                cause: "the vendor refuses the signature (code 1002): check app_id and app_key")
        case Self.clockSkew:
            throw SourceError(
                .credentials, doing: doing,
                cause: "the vendor refuses the time of the request (code 1003): check this machine's clock")
        default:
            throw SourceError(.code(code), doing: doing, cause: "the vendor answers code \(code)")
        }
    }

    private enum EnvelopeKey: String, CodingKey { case code, data }
    private enum DataKey: String, CodingKey { case list, nextCursor }
}
