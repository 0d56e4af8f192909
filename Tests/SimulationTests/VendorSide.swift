import EventModel
import Ingesting
import Ports
import TestSupport

/// One row upstream and its versions: what it says from when on. The first may be listed later than its own time.
struct Happening: Sendable {
    let identity: String
    let time: Timestamp
    let versions: [(since: Timestamp, content: String)]
    /// The customer it belongs to, where the vendor answers by customer.
    var owner: String?
    /// When it disappears.
    var gone: Timestamp?

    func content(at now: Timestamp) -> String? { versions.last { $0.since <= now }?.content }
    func isGone(at now: Timestamp) -> Bool { gone.map { $0 <= now } ?? false }

    static func random(
        _ identity: String, late: [Int64] = [0], in world: World, _ random: inout SeededGenerator
    ) -> Happening {
        let time =
            VirtualClock.start
            + .seconds(Int64(Double.random(in: 0..<1, using: &random) * (world.rows / .seconds(1))))
        let delay = late.randomElement(using: &random) ?? 0
        var since = delay == 0 ? time : time + .seconds(world.seconds(delay...delay, &random))
        var versions: [(Timestamp, String)] = []
        for version in 0..<Int.random(in: 1...3, using: &random) {
            versions.append((since, "\(identity).\(version)"))
            since = since + .seconds(world.seconds(60...30_000, &random))
        }
        return Happening(identity: identity, time: time, versions: versions)
    }

    /// An event's data: which row it is of, and what it says.
    static func data(_ identity: String, _ content: String) -> [UInt8] {
        Array(#"{"row":"\#(identity)","content":"\#(content)"}"#.utf8)
    }
}

/// What all endpoints of the simulated vendor share: its gate, its bad hours, its ways to fail.
struct VendorSide: Sendable {
    let clock: VirtualClock
    let gate: AccountGate
    let troubles: [FaultSchedule.Trouble]

    /// How it fails now; nil in good hours.
    var way: Int? { FaultSchedule.trouble(troubles, at: clock.elapsed)?.way }

    nonisolated(nonsending) func fail(_ way: Int) async throws(SourceError) {
        let kinds: [SourceError.Kind] = [
            .transport, .throttled(after: .seconds(90)), .credentials, .code(-1), .malformed,
            .throttled(after: nil),
        ]
        if way % 7 == 6 { try await pass(.seconds(30)) }
        throw SourceError(kinds[way % kinds.count], doing: "read", cause: "scheduled")
    }

    nonisolated(nonsending) func pass(_ duration: Duration) async throws(SourceError) {
        do throws(CancellationError) {
            try await clock.sleep(for: duration)
        } catch {
            throw SourceError(.cancelled, doing: "read", cause: "cancelled")
        }
    }
}
