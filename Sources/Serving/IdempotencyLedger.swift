import InboundHTTP
import Services
import Signing
import Synchronization

/// Answers a repeated `POST` with the first one's answer: a client that did not hear us may simply ask again.
///
/// A key belongs to its caller and to one request; the same key with another request is refused. Answers are kept for a day in
/// memory alone, since some hold a secret that must not be on disk; after a restart the routes' own rules (names are
/// unique, a job is found in its list) have to do.
final class IdempotencyLedger: Sendable {
    private struct Entry {
        let fingerprint: [UInt8]
        let begun: Duration
        /// Nil while the first request is under way.
        var answer: HTTPAnswer?
    }

    enum Verdict {
        case fresh
        case repeated(HTTPAnswer)
    }

    static let memory: Duration = .seconds(86_400)
    static let entries = 10_000
    private let state = Mutex<[String: Entry]>([:])

    /// - Parameter elapsed: a monotonic clock.
    func begin(_ key: String, _ call: Call, at elapsed: Duration) throws(Problem) -> Verdict {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid("Idempotency-Key", "is not 1 to 255 printable characters")
        }
        let place = call.caller.name + "\n" + key
        let fingerprint = Digest.sha256(
            Array("\(call.request.method) \(call.request.rawTarget)\n".utf8) + call.request.body)
        let known = state.withLock { entries -> Entry? in
            if entries.count >= Self.entries { Self.forget(&entries, at: elapsed) }
            if let entry = entries[place], elapsed - entry.begun < Self.memory { return entry }
            entries[place] = Entry(fingerprint: fingerprint, begun: elapsed)
            return nil
        }
        guard let known else { return .fresh }
        guard known.fingerprint == fingerprint else {
            throw Problem(
                409, "idempotency-key-reused", "Key used before", "The key belongs to another request.",
                field: "Idempotency-Key")
        }
        guard let answer = known.answer else {
            throw .conflict("The first request with this key is still under way.", field: "Idempotency-Key")
        }
        return .repeated(answer)
    }

    /// Keeps an answer; one that says the server failed is forgotten, so that the request can be tried again.
    func end(_ key: String, _ call: Call, _ answer: HTTPAnswer) {
        let place = call.caller.name + "\n" + key
        state.withLock { entries in
            if answer.status >= 500 { entries[place] = nil } else { entries[place]?.answer = answer }
        }
    }

    private static func forget(_ entries: inout [String: Entry], at elapsed: Duration) {
        entries = entries.filter { elapsed - $0.value.begun < memory }
        guard entries.count >= Self.entries else { return }
        for (key, _) in entries.sorted(by: { $0.value.begun < $1.value.begun }).prefix(Self.entries / 10) {
            entries[key] = nil
        }
    }
}
