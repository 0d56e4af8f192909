import Ports
import Services

/// Counts and times one source's requests on their way through the account's gate, each try for itself.
struct MeteredGate: RequestGate {
    let gate: any RequestGate
    let source: String
    let metrics: RelayMetrics
    let timekeeper: any Timekeeper

    func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        try await gate.admitted { () async throws(SourceError) -> T in
            let begun = timekeeper.elapsed
            do throws(SourceError) {
                let result = try await request()
                count("ok", since: begun)
                return result
            } catch {
                count(Self.outcome(error), since: begun)
                throw error
            }
        }
    }

    private func count(_ outcome: String, since begun: Duration) {
        metrics.sourceRequests.increment(source, outcome)
        metrics.sourceRequestSeconds.observe(timekeeper.elapsed - begun, source)
    }

    private static func outcome(_ error: SourceError) -> String {
        switch error.kind {
        case .transport: "transport"
        case .throttled: "throttled"
        case .credentials: "credentials"
        case .parameters: "parameters"
        case .code: "code"
        case .malformed: "malformed"
        case .store: "store"
        case .cancelled: "cancelled"
        }
    }
}
