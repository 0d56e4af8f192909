/// Lets an account's requests through: its rate, its concurrency, its stops. One gate per account, shared by its sources.
package protocol RequestGate: Sendable {
    /// Waits for a place and makes the request; one that fails in passing is made again, a bounded number of times and
    /// never faster than the account's rate, so `request` must be safe to repeat. A `throttled` error closes the gate
    /// for everybody for as long as the vendor asked; a `credentials` error stops the account.
    /// - Throws: what the request threw, `.cancelled`, or at once `.credentials` while the account is stopped.
    func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T
}
