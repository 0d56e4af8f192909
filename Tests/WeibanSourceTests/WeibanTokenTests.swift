import Ports
import Services
import Synchronization
import Testing

@testable import WeibanSource

/// Pins the token: refreshed early, by one caller at a time, shared by all.
@Suite(.timeLimit(.minutes(1))) struct WeibanTokenTests {
    private final class Vendor: Sendable {
        let granted = Mutex(0)

        func grant(_ lifetime: Duration) -> WeibanToken.Grant {
            let number = granted.withLock { count in
                count += 1
                return count
            }
            return WeibanToken.Grant(token: Secret("t\(number)"), lifetime: lifetime)
        }
    }

    @Test(arguments: [(7200, 6899, 1), (7200, 6900, 2), (100, 49, 1), (100, 50, 2)])
    func aTokenIsRefreshedBeforeItsEnd(lifetime: Int, after: Int, grants: Int) async throws {
        let (token, vendor) = (WeibanToken(), Vendor())
        for elapsed in [0, after] {
            _ = try await token.current(now: { .seconds(elapsed) }) { vendor.grant(.seconds(lifetime)) }
        }
        #expect(vendor.granted.withLock { $0 } == grants)
    }

    @Test func manyWhoAskAtOnceShareOneRefresh() async throws {
        let (token, vendor, gate) = (WeibanToken(), Vendor(), StopSignal())
        try await withThrowingTaskGroup(of: Secret.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await token.current(now: { .zero }) { () async throws(SourceError) in
                        await gate.wait()
                        return vendor.grant(.seconds(7200))
                    }
                }
            }
            gate.stop()
            var tokens: Set<Secret> = []
            for try await secret in group { tokens.insert(secret) }
            #expect(tokens.count == 1)
        }
        #expect(vendor.granted.withLock { $0 } == 1)
    }

    @Test func aRefreshThatFailsIsTriedByTheNext() async throws {
        let (token, vendor) = (WeibanToken(), Vendor())
        await #expect(throws: SourceError.self) {
            try await token.current(now: { .zero }) { () async throws(SourceError) in
                throw SourceError(.transport, doing: "refresh", cause: "away")
            }
        }
        #expect(try await token.current(now: { .zero }) { vendor.grant(.seconds(7200)) } == Secret("t1"))
    }

    @Test func droppingAnOldTokenLeavesANewerOne() async throws {
        let (token, vendor) = (WeibanToken(), Vendor())
        let first = try await token.current(now: { .zero }) { vendor.grant(.seconds(7200)) }
        await token.drop(first)
        let second = try await token.current(now: { .zero }) { vendor.grant(.seconds(7200)) }
        await token.drop(first)
        #expect(try await token.current(now: { .zero }) { vendor.grant(.seconds(7200)) } == second)
    }
}
