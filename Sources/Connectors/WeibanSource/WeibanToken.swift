import Ports
import Services

/// An account's access token: refreshed early, by one caller at a time, shared by all.
///
/// Whether a new token kills the old one is unknown, so nobody refreshes while somebody else does.
actor WeibanToken {
    /// What the vendor granted.
    struct Grant: Sendable {
        let token: Secret
        let lifetime: Duration
    }

    private var held: (token: Secret, until: Duration)?
    private var isRefreshing = false
    private var refusals = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// A token is given back this long before its end; one that lives shorter than twice that, at half its life.
    static let early: Duration = .seconds(300)

    /// - Parameter now: a monotonic clock.
    func current(
        now: @Sendable () -> Duration, refresh: @Sendable () async throws(SourceError) -> Grant
    ) async throws(SourceError) -> Secret {
        while isRefreshing { await withCheckedContinuation { waiting.append($0) } }
        if let held, now() < held.until { return held.token }
        isRefreshing = true
        defer {
            isRefreshing = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        let grant = try await refresh()
        held = (grant.token, now() + max(grant.lifetime - Self.early, grant.lifetime / 2))
        return grant.token
    }

    /// So many refused grants in a row mean that the secret is wrong.
    static let refusalsThatStop = 4

    /// Counts refused grants in a row; a grant ends the row. The one that stopped the account begins a new one.
    /// - Returns: how many there were before this answer.
    func answered(isRefusal: Bool) -> Int {
        defer { refusals = isRefusal ? (refusals + 1) % Self.refusalsThatStop : 0 }
        return refusals
    }

    /// Forgets a token the vendor has refused; a newer one stays.
    func drop(_ token: Secret) {
        if held?.token == token { held = nil }
    }
}
