/// Lets an account's requests through: its rate, its concurrency, its stops. One gate per account, shared by its sources.
package protocol RequestGate: Sendable {
    /// Waits for a place, makes the request, gives the place back. A `throttled` error closes the gate for everybody for
    /// as long as the vendor asked; a `credentials` error stops the account.
    /// - Throws: what the request threw, `.cancelled`, or at once `.credentials` while the account is stopped.
    func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T
}
