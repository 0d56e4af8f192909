import Foundation
import TestSupport
import Testing
import VendorSimulator

/// `millrace audit` from outside: beside a running relay, and over a store that somebody has changed.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct AuditTests {
    @Test func auditBalancesBesideARunningRelayAndFailsOnAChangedStore() async throws {
        let chain = try Chain { ($0.rate, $0.limit) = (40, 60) }
        let process = try await chain.relay.run()
        for _ in 0..<5 {
            let audit = try await chain.relay.command("audit", "--json")
            #expect(audit.exitCode == 0, "\(audit.output)\(audit.errors)")
        }
        try await chain.settled(rows: 5 + 30 + 60)
        #expect(try await Relay.stop(process) == .exited(0))
        let table = try await chain.relay.command("audit")
        #expect(table.exitCode == 0 && table.output.contains("everything balances"))
        // Any tool that writes SQLite: what is changed here is the count of one sink.
        let change = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", "-c",
                "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
                    + "c.execute('UPDATE sinks SET delivered = delivered - 1 WHERE name = \"kafka\"'); c.commit()",
                chain.relay.storeFile,
            ], folder: chain.relay.folder.path)
        #expect(try await change.ended() == .exited(0))
        let damaged = try await chain.relay.command("audit")
        #expect(damaged.exitCode == 1)
        #expect(
            damaged.output.contains("sink kafka: events is 95") && damaged.output.contains("(difference 1)"))
        let check = try await chain.relay.command("check", "--store")
        #expect(check.exitCode == 1 && check.output.contains("sink kafka"))
    }
}
