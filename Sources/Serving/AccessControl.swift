import EventModel
import InboundHTTP
import Persisting
import Services
import Signing
import Synchronization

/// Who may ask for what.
///
///     tokens are known      Authorization: Bearer …; 401 without or with a wrong one, 403 beyond its scope
///     no token at all       only a loopback Host and no foreign Origin, 403 otherwise: a browser's page must not be
///                           led here by a name it controls
///
/// Wrong tokens from one address, with no right one between them, are answered with 429 from the tenth on. A right token
/// is always admitted: neighbours behind one address do not lock each other out.
final class AccessControl: Sendable {
    struct Known: Sendable {
        let name: String
        let hash: [UInt8]
        let scope: Scope
    }

    private struct State {
        var configured: [Known] = []
        var made: [Known] = []
        var throttle = FailureThrottle()
    }

    private let state = Mutex(State())

    /// Tokens of the configuration file.
    func configure(_ tokens: [APIToken]) {
        let known = tokens.map {
            Known(name: $0.name, hash: Self.hash($0.token.reveal()), scope: $0.scope)
        }
        state.withLock { $0.configured = known }
    }

    /// Tokens made through the API.
    func made(_ tokens: [StoredToken]) {
        let known = tokens.compactMap { token in
            Scope(rawValue: token.scope).map { Known(name: token.name, hash: token.hash, scope: $0) }
        }
        state.withLock { $0.made = known }
    }

    func isConfigured(_ name: String) -> Bool {
        state.withLock { $0.configured.contains { $0.name == name } }
    }

    static func hash(_ token: String) -> [UInt8] {
        Digest.sha256(Array(token.utf8))
    }

    /// - Parameters:
    ///   - scope: what the route asks for; nil is open to everybody.
    ///   - elapsed: a monotonic clock.
    func admit(_ request: InboundRequest, to scope: Scope?, at elapsed: Duration) throws(Problem) -> Caller {
        let known = state.withLock { $0.configured + $0.made }
        guard !known.isEmpty else {
            try LoopbackOnly.require(request)
            return Caller(name: "local", scope: .admin)
        }
        guard let scope else { return Caller(name: "anonymous", scope: .read) }
        guard let token = try Self.bearer(request) else {
            throw Self.unauthorized("A bearer token is required.")
        }
        guard let owner = Self.owner(of: token, among: known) else {
            throw refusal(of: request.remoteAddress, at: elapsed)
        }
        state.withLock { $0.throttle.succeeded(request.remoteAddress) }
        guard owner.scope >= scope else {
            throw Problem(
                403, "insufficient-scope", "Insufficient scope",
                "This needs the scope \(scope.rawValue), the token has \(owner.scope.rawValue).")
        }
        return Caller(name: owner.name, scope: owner.scope)
    }

    private func refusal(of address: String, at elapsed: Duration) -> Problem {
        guard let wait = state.withLock({ $0.throttle.failed(address, at: elapsed) }) else {
            return Self.unauthorized("The token is not known.")
        }
        var problem = Problem(
            429, "too-many-failures", "Too many failures", "Too many wrong tokens came from this address.")
        problem.headers.append("Retry-After", String(wait.components.seconds + 1))
        return problem
    }

    /// Every known token is compared, and each in the same time: how long it takes tells nothing.
    private static func owner(of token: String, among known: [Known]) -> Known? {
        let hash = hash(token)
        return known.reduce(nil) { found, candidate in
            Digest.areEqual(candidate.hash, hash) ? candidate : found
        }
    }

    private static func bearer(_ request: InboundRequest) throws(Problem) -> String? {
        guard let value = request.headers["authorization"] else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    private static func unauthorized(_ detail: String) -> Problem {
        var problem = Problem(401, "unauthorized", "Unauthorized", detail)
        problem.headers.append("WWW-Authenticate", "Bearer realm=\"millrace\"")
        return problem
    }
}

/// Counts wrong tokens per address. Pure: the clock is a parameter.
struct FailureThrottle {
    /// From this failure in a row on, the answer is 429.
    static let tolerated = 10
    /// Without a failure for this long, an address begins anew.
    static let memory: Duration = .seconds(60)
    /// Addresses that are remembered at once; the oldest are forgotten first.
    static let addresses = 10_000

    private var failures: [String: (count: Int, last: Duration)] = [:]

    /// How long the address should wait; nil while it is tolerated.
    mutating func failed(_ address: String, at elapsed: Duration) -> Duration? {
        if failures.count >= Self.addresses { forget(at: elapsed) }
        var entry = failures[address] ?? (0, elapsed)
        if elapsed - entry.last >= Self.memory { entry.count = 0 }
        entry = (entry.count + 1, elapsed)
        failures[address] = entry
        return entry.count >= Self.tolerated ? Self.memory : nil
    }

    mutating func succeeded(_ address: String) {
        failures[address] = nil
    }

    private mutating func forget(at elapsed: Duration) {
        failures = failures.filter { elapsed - $0.value.last < Self.memory }
        if failures.count >= Self.addresses { failures = [:] }
    }
}

/// What is let in while there is no token: this machine, and no page of another one.
enum LoopbackOnly {
    static func require(_ request: InboundRequest) throws(Problem) {
        guard let host = request.headers["host"], isLoopback(authority: host) else {
            throw Problem(
                403, "forbidden-host", "Forbidden", "Without tokens the API answers to loopback names only.",
                field: "host")
        }
        if let origin = request.headers["origin"], !isOwn(origin: origin) {
            throw Problem(
                403, "foreign-origin", "Forbidden",
                "Without tokens the API answers to no page of another origin.",
                field: "origin")
        }
    }

    private static func isOwn(origin: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return isLoopback(authority: String(origin.dropFirst(scheme.count)))
        }
        return false
    }

    /// `localhost:8080`, `127.0.0.1`, `[::1]:8080`.
    private static func isLoopback(authority: String) -> Bool {
        var host = Substring(authority.lowercased())
        if let end = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            guard !host[end...].dropFirst().isEmpty, host[end...].dropFirst().allSatisfy(\.isNumber) else {
                return false
            }
            host = host[..<end]
        }
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
