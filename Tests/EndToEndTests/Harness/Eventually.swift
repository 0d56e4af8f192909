import Foundation

/// A harness that cannot go on, in words.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Waits for something another process brings about: looks every few milliseconds, gives up at the limit.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ isTrue: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < end else { throw Failure("waited \(limit) in vain: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

extension Optional {
    func unwrapped(_ reason: String) throws -> Wrapped {
        guard let self else { throw Failure(reason) }
        return self
    }
}
