import EventModel
import Foundation
package import OutboundHTTP
package import Ports
package import Services

/// One Weiban account: where its API is and who asks.
package struct WeibanAccount: Sendable {
    package let name: String
    /// Without a trailing slash: `https://open.weibanzhushou.com`.
    package let baseURL: String
    package let corpID: String
    package let secret: Secret
    package let timeout: Duration
    package let caFile: String?
    package let proxy: String?

    package init(
        name: String, baseURL: String, corpID: String, secret: Secret, timeout: Duration, caFile: String?,
        proxy: String?
    ) {
        (self.name, self.baseURL, self.corpID, self.secret) = (name, baseURL, corpID, secret)
        (self.timeout, self.caFile, self.proxy) = (timeout, caFile, proxy)
    }
}

/// Speaks Weiban's protocol: a token in the query, one request after another, and errors under HTTP 200.
///
/// Shared by all Weiban sources of an account. The token travels in the URL, so no URL is ever put into an error or a log
/// line. Code 10001 (bad or expired token) is answered once with a fresh token; a second one stops the account.
package struct WeibanClient: Sendable {
    private let account: WeibanAccount
    private let http: HTTPClient
    private let gate: any RequestGate
    private let timekeeper: any Timekeeper
    private let draw: @Sendable () -> Double
    private let token = WeibanToken()
    private let block = WeibanBlock()

    static let maxReplyBytes = 32 << 20
    static let tokenPath = "/open-api/access_token/get"

    /// - Parameter draw: gives numbers between 0 and 1, for jitter.
    package init(
        _ account: WeibanAccount, http: HTTPClient, gate: any RequestGate, timekeeper: any Timekeeper,
        draw: @escaping @Sendable () -> Double
    ) {
        (self.account, self.http, self.gate, self.timekeeper) = (account, http, gate, timekeeper)
        self.draw = draw
    }

    /// Asks for a list and returns the reply of a success.
    /// - Parameter query: without the token; values are digits.
    func get(
        _ path: String, query: [(name: String, value: String)], doing: String
    ) async throws(SourceError) -> WeibanReply {
        let held = try await currentToken(doing)
        let first = try await attempt(path, query, held, acceptsBadToken: true, doing: doing)
        guard first.code == WeibanReply.badToken else { return first }
        await token.drop(held)
        let fresh = try await currentToken(doing)
        return try await attempt(path, query, fresh, acceptsBadToken: false, doing: doing)
    }

    private func attempt(
        _ path: String, _ query: [(name: String, value: String)], _ token: Secret, acceptsBadToken: Bool,
        doing: String
    ) async throws(SourceError) -> WeibanReply {
        let pairs = (query + [("access_token", token.reveal())]).map {
            "\($0.name)=\(Self.escaped($0.value))"
        }
        let request = request(.get, path + "?" + pairs.joined(separator: "&"))
        return try await gate.admitted { () async throws(SourceError) in
            let reply = try WeibanReply(try await send(request, doing), now: timekeeper.now, doing: doing)
            if acceptsBadToken, reply.code == WeibanReply.badToken { return reply }
            if reply.code == WeibanReply.blocked {
                throw SourceError(
                    .throttled(after: await block.next(at: timekeeper.elapsed)), doing: doing,
                    cause: "the vendor blocks this endpoint (code 10053)")
            }
            if reply.code == WeibanReply.tooManyAtOnce {
                // One to two seconds, so that those who were refused together do not return together (its page).
                throw SourceError(
                    .throttled(after: .seconds(1 + draw())), doing: doing,
                    cause: "too many requests of this account at once (code 10052)")
            }
            return try reply.successful(doing: doing)
        }
    }

    private func currentToken(_ doing: String) async throws(SourceError) -> Secret {
        try await token.current(now: { timekeeper.elapsed }) { () async throws(SourceError) in
            try await gate.admitted { () async throws(SourceError) in
                var request = request(.post, Self.tokenPath)
                request.headers = [("Content-Type", "application/json")]
                var writer = JSONWriter(reserving: 160)
                writer.object { body in
                    body.member("corp_id", account.corpID)
                    body.member("secret", account.secret.reveal())
                }
                request.body = writer.bytes
                let reply = try WeibanReply(try await send(request, doing), now: timekeeper.now, doing: doing)
                let refusals = await token.answered(isRefusal: reply.code != 0)
                return try reply.grant(doing: doing, refusals: refusals)
            }
        }
    }

    private func request(_ method: OutboundRequest.Method, _ target: String) -> OutboundRequest {
        var request = OutboundRequest(
            method, account.baseURL + target, timeout: account.timeout, maxResponseBytes: Self.maxReplyBytes)
        (request.caFile, request.proxy) = (account.caFile, account.proxy)
        return request
    }

    private func send(_ request: OutboundRequest, _ doing: String) async throws(SourceError)
        -> OutboundResponse
    {
        do throws(OutboundError) {
            return try await http.send(request)
        } catch {
            throw SourceError(
                error.kind == .cancelled ? .cancelled : .transport, doing: doing, cause: error.cause)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

/// How long code 10053 pauses: 60 seconds, then 60 minutes when it repeats within the hour (the vendor's own limits).
actor WeibanBlock {
    private var latest: Duration?

    func next(at now: Duration) -> Duration {
        defer { latest = now }
        guard let latest, now - latest < .seconds(3600) else { return .seconds(60) }
        return .seconds(3600)
    }
}
