import EventModel
import Foundation
import OutboundHTTP
import Ports
import RowDecoding

/// A reply of Tanma's, cut into envelope and rows, judged by its body and not by its status alone.
struct TanmaReply: Sendable {
    static let signatureRefused: Int64 = 1002
    static let clockSkew: Int64 = 1003

    /// Where a reply has its rows.
    enum Shape {
        /// `data.list`, with a cursor beside it; there must be one.
        case pages
        /// `data` itself; null and a missing one mean no rows (vendor page on follow records).
        case whole
        /// `data.result`, with totals beside it; `data: null` means no rows (vendor page on customer files).
        case counted

        var path: [String] {
            switch self {
            case .pages: ["data", "list"]
            case .whole: ["data"]
            case .counted: ["data", "result"]
            }
        }
    }

    let code: Int64
    let rows: [[UInt8]]
    let nextCursor: String?
    /// How many rows there are in all, where the vendor says; a hint only.
    let totalCount: Int64?
    /// Whether the payload was there at all: a success without one is none.
    let hasList: Bool
    let vendorTime: Timestamp?

    /// - Throws: `.transport` for a status other than 2xx, `.throttled` for 429 and for any refusal with `Retry-After`,
    ///   `.malformed` for a body that is not the documented envelope.
    init(
        _ response: OutboundResponse, shape: Shape = .pages, now: Timestamp, doing: String
    ) throws(SourceError) {
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
        guard let slices = RowSlicer.slice(response.body, path: shape.path) else {
            throw SourceError(.malformed, doing: doing, cause: "the reply is cut off or no JSON")
        }
        do {
            let envelope = try VendorRow<EnvelopeKey>.read(slices.envelope)
            guard let code = try envelope.integer(.code) else { throw RowError("code: missing") }
            self.code = code
            (nextCursor, totalCount, hasList) = try Self.payload(envelope, shape, isSuccess: code == 0)
        } catch {
            throw SourceError(
                .malformed, doing: doing, cause: "the reply's envelope cannot be read: \(error)")
        }
        rows = slices.rows
        self.vendorTime = vendorTime
    }

    private static func payload(
        _ envelope: VendorFields<EnvelopeKey>, _ shape: Shape, isSuccess: Bool
    ) throws(RowError) -> (cursor: String?, total: Int64?, hasList: Bool) {
        guard isSuccess else { return (nil, nil, false) }
        if shape == .whole {
            // The rows are cut out of the envelope, so that their list is empty here.
            guard try isNothing(envelope.anything(.data)) else { throw RowError("data: not a list of rows") }
            return (nil, nil, true)
        }
        guard let data = try envelope.object(.data, keyedBy: DataKey.self) else {
            return (nil, nil, shape == .counted)
        }
        let key: DataKey = shape == .pages ? .list : .result
        guard try isNothing(data.anything(key)) else {
            throw RowError("\(key.stringValue): not a list of rows")
        }
        return (try data.text(.nextCursor), try data.integer(.totalCount), data.contains(key))
    }

    private static func isNothing(_ value: AnyJSON?) -> Bool {
        [nil, .array([]), .text("[]")].contains(value)
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
    private enum DataKey: String, CodingKey { case list, nextCursor, result, totalCount }
}
