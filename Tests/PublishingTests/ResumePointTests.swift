import Ports
import Testing

@testable import Publishing

/// Where publishing goes on, case by case (contract, section 5).
struct ResumePointTests {
    private static func remote(_ offset: Int64, log: String? = "own") -> RemotePosition {
        RemotePosition(
            offset: offset, logID: log, host: log == nil ? nil : "relay-1", pid: log == nil ? nil : 42)
    }

    @Test(
        arguments: [
            ("none there, or expired", nil, 7, 10, 7),
            ("the store is ahead: filtered, given up", remote(5), 7, 10, 7),
            ("Kafka is ahead: a crash after the commit", remote(9), 7, 10, 9),
            ("both the same", remote(7), 7, 10, 7),
            ("at the head", remote(10), 7, 10, 10), ("an empty log at its beginning", nil, 0, 0, 0),
        ] as [(String, RemotePosition?, Int64, Int64, Int64)])
    func theLaterOfBothPositionsOfTheSameLog(
        case name: String, remote: RemotePosition?, stored: Int64, head: Int64, at: Int64
    ) {
        for adopt in [false, true] {
            let point = ResumePoint.decide(
                remote: remote, logID: "own", stored: stored, head: head, adopt: adopt)
            #expect(point == .at(at), "\(name)")
        }
    }

    @Test(arguments: [remote(3, log: "other"), remote(11), remote(3, log: nil), remote(99, log: "other")])
    func whatBelongsToAnotherLogOrANewerCopyIsRefusedUnlessAdopted(remote: RemotePosition) throws {
        let point = ResumePoint.decide(remote: remote, logID: "own", stored: 7, head: 10, adopt: false)
        guard case .refused(let reason) = point else { return #expect(Bool(false)) }
        #expect(reason.contains("\(remote.offset)") && reason.contains("--adopt") && reason.contains("7"))
        if remote.logID != nil { #expect(reason.contains("process 42 on relay-1")) }
        let adopted = ResumePoint.decide(remote: remote, logID: "own", stored: 7, head: 10, adopt: true)
        #expect(adopted == .at(7))
    }
}
