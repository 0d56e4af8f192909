import EventModel
import OutboundHTTP
import Ports
import RowDecoding
import Services

/// A reply of Weiban's, cut into envelope and rows, judged by its body and not by its status alone.
struct WeibanReply: Sendable {
    static let badToken: Int64 = 10001
    static let tooManyAtOnce: Int64 = 10052
    static let blocked: Int64 = 10053
    static let badParameters: ClosedRange<Int64> = 20201...20202

    let code: Int64
    let rows: [[UInt8]]
    let totalCount: Int64?
    let vendorTime: Timestamp?
    private let hasList: Bool
    private let token: String?
    private let expiresIn: Int64?

    init(_ response: OutboundResponse, now: Timestamp, doing: String) throws(SourceError) {
        let vendorTime = response.header("date").flatMap(HTTPDate.parse)
        guard (200...299).contains(response.status) else {
            let cause = "HTTP status \(response.status)"
            let wait = response.header("retry-after").flatMap {
                HTTPDate.retryAfter($0, now: vendorTime ?? now)
            }
            let kind: SourceError.Kind =
                response.status == 429 || wait != nil ? .throttled(after: wait) : .transport
            throw SourceError(kind, doing: doing, cause: cause)
        }
        guard let slices = RowSlicer.slice(response.body, path: ["external_user_list"]) else {
            throw SourceError(.malformed, doing: doing, cause: "the reply is cut off or no JSON")
        }
        do {
            let envelope = try VendorRow<Key>.read(slices.envelope)
            guard let code = try envelope.integer(.errcode) else { throw RowError("errcode: missing") }
            self.code = code
            totalCount = try envelope.integer(.totalCount)
            token = try envelope.text(.accessToken)
            expiresIn = try envelope.integer(.expiresIn)
        } catch {
            throw SourceError(
                .malformed, doing: doing, cause: "the reply's envelope cannot be read: \(error)")
        }
        (rows, hasList, self.vendorTime) = (slices.rows, slices.hasList, vendorTime)
    }

    /// The reply itself when it is a page of a list.
    func successful(doing: String) throws(SourceError) -> WeibanReply {
        if let refusal = refusal(doing: doing) { throw refusal }
        guard hasList, totalCount != nil else {
            throw SourceError(.malformed, doing: doing, cause: "errcode 0 without a list and its total")
        }
        return self
    }

    /// The token a refresh has brought.
    ///
    /// Which code means a wrong secret is unknown: any other than 0 is tried again, and the account stops when it stays.
    /// - Parameter refusals: how many grants in a row were refused before this one.
    func grant(doing: String, refusals: Int) throws(SourceError) -> WeibanToken.Grant {
        if let refusal = refusal(doing: doing) {
            guard case .code = refusal.kind, refusals + 1 >= WeibanToken.refusalsThatStop else {
                throw refusal
            }
            throw SourceError(
                .credentials, doing: doing,
                cause: "the vendor grants no token (code \(code)): check corp_id and secret")
        }
        guard let token else {
            throw SourceError(.malformed, doing: doing, cause: "errcode 0 without a token")
        }
        return WeibanToken.Grant(token: Secret(token), lifetime: .seconds(max(1, expiresIn ?? 7200)))
    }

    private func refusal(doing: String) -> SourceError? {
        switch code {
        case 0:
            nil
        case Self.badToken:
            SourceError(.credentials, doing: doing, cause: "the vendor refuses a fresh token (code 10001)")
        case Self.tooManyAtOnce:
            SourceError(
                .throttled(after: .seconds(2)), doing: doing,
                cause: "too many requests of this account at once (code 10052)")
        case Self.blocked:
            SourceError(
                .throttled(after: .seconds(60)), doing: doing, cause: "the endpoint is blocked (code 10053)")
        case Self.badParameters:
            SourceError(.parameters, doing: doing, cause: "the vendor refuses the parameters (code \(code))")
        default:
            SourceError(.code(code), doing: doing, cause: "the vendor answers code \(code)")
        }
    }

    private enum Key: String, CodingKey {
        case errcode, totalCount = "total_count", accessToken = "access_token", expiresIn = "expires_in"
    }
}
