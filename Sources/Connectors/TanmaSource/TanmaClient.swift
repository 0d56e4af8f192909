import EventModel
import Foundation
package import OutboundHTTP
package import Ports
package import Services
import Signing

/// One Tanma account: where its API is and how requests are signed.
package struct TanmaAccount: Sendable {
    package let name: String
    /// Without a trailing slash: `https://account.tanmarket.cn/apiServer`.
    package let baseURL: String
    package let appID: String
    package let appKey: Secret
    package let sendAppKeyHeader: Bool
    package let timeout: Duration
    package let caFile: String?
    package let proxy: String?

    package init(
        name: String, baseURL: String, appID: String, appKey: Secret, sendAppKeyHeader: Bool,
        timeout: Duration,
        caFile: String?, proxy: String?
    ) {
        (self.name, self.baseURL, self.appID, self.appKey) = (name, baseURL, appID, appKey)
        (self.sendAppKeyHeader, self.timeout) = (sendAppKeyHeader, timeout)
        (self.caFile, self.proxy) = (caFile, proxy)
    }
}

/// Speaks Tanma's protocol: signs, posts, and tells a success from everything that only looks like one.
///
/// Shared by all Tanma sources of an account. A reply is a success only if the status is 2xx, `code` is 0 and the payload
/// is there (upstream notes, rule 1).
package struct TanmaClient: Sendable {
    private let account: TanmaAccount
    private let http: HTTPClient
    private let gate: any RequestGate
    private let timekeeper: any Timekeeper

    /// A reply larger than this is refused: a page of rows is a few hundred kilobytes.
    static let maxReplyBytes = 32 << 20

    package init(_ account: TanmaAccount, http: HTTPClient, gate: any RequestGate, timekeeper: any Timekeeper)
    {
        (self.account, self.http, self.gate, self.timekeeper) = (account, http, gate, timekeeper)
    }

    /// Posts a signed body and returns the reply of a success.
    ///
    /// Code 1003 (clock skew) is answered once with a fresh timestamp, taken from the vendor's clock when it tells it.
    func post(
        _ path: String, body: [UInt8], shape: TanmaReply.Shape = .pages, doing: String
    ) async throws(SourceError) -> TanmaReply {
        let first = try await attempt(
            path, body: body, shape, ahead: .zero, acceptsClockSkew: true, doing: doing)
        guard first.code == TanmaReply.clockSkew else { return first }
        let ahead = first.vendorTime.map { $0 - timekeeper.now } ?? .zero
        return try await attempt(
            path, body: body, shape, ahead: ahead, acceptsClockSkew: false, doing: doing)
    }

    /// - Parameter ahead: how far the vendor's clock is before ours.
    private func attempt(
        _ path: String, body: [UInt8], _ shape: TanmaReply.Shape, ahead: Duration, acceptsClockSkew: Bool,
        doing: String
    ) async throws(SourceError) -> TanmaReply {
        try await gate.admitted { () async throws(SourceError) in
            // Signed at the last moment: the gate may have kept the request, or repeat it, long after it was made.
            let request = signed(path, body: body, timestamp: timekeeper.now + ahead)
            let response: OutboundResponse
            do throws(OutboundError) {
                response = try await http.send(request)
            } catch {
                throw SourceError(
                    error.kind == .cancelled ? .cancelled : .transport, doing: doing, cause: error.cause)
            }
            let reply = try TanmaReply(response, shape: shape, now: timekeeper.now, doing: doing)
            // Judged inside the gate: it tries again what may pass, and stops the account before anybody else asks.
            if acceptsClockSkew, reply.code == TanmaReply.clockSkew { return reply }
            return try reply.successful(doing: doing)
        }
    }

    private func signed(_ path: String, body: [UInt8], timestamp: Timestamp) -> OutboundRequest {
        var request = OutboundRequest(
            .post, account.baseURL + path, timeout: account.timeout, maxResponseBytes: Self.maxReplyBytes)
        let milliseconds = String(timestamp.milliseconds)
        request.headers = [
            ("appId", account.appID), ("timestamp", milliseconds),
            (
                "sign",
                Self.sign(appID: account.appID, timestamp: milliseconds, body: body, appKey: account.appKey)
            ),
            ("Content-Type", "application/json"),
        ]
        if account.sendAppKeyHeader { request.headers.append(("appKey", account.appKey.reveal())) }
        request.body = body
        request.caFile = account.caFile
        request.proxy = account.proxy
        return request
    }

    /// Lowercase hex of SHA-256 over `appId + timestamp + body + appKey`, over the exact bytes that are sent.
    static func sign(appID: String, timestamp: String, body: [UInt8], appKey: Secret) -> String {
        Digest.sha256(Array((appID + timestamp).utf8) + body + Array(appKey.reveal().utf8)).hexadecimal
    }
}
