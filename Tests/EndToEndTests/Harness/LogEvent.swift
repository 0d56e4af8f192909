import EventModel
import Foundation
import Signing
import VendorSimulator

/// One event as it left the relay: its bytes, and what a test looks at in them.
struct LogEvent: Sendable {
    private struct Attributes: Decodable {
        let id, type, source, subject, partitionkey: String
        let sequence: String?
        let revision: Int
    }

    let bytes: [UInt8]
    let id, type, source, subject, key: String
    /// Nil in a dry run.
    let offset: Int64?
    let revision: Int

    init(_ bytes: [UInt8]) throws {
        let attributes = try JSONDecoder().decode(Attributes.self, from: Data(bytes))
        self.bytes = bytes
        (id, type, source) = (attributes.id, attributes.type, attributes.source)
        (subject, key, revision) = (attributes.subject, attributes.partitionkey, attributes.revision)
        offset = try attributes.sequence.map { try Int64($0).unwrapped("a sequence is no number") }
    }

    /// Every value of the event but the two that the store gives.
    func values() throws -> NSDictionary {
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        var values = try object.unwrapped("an event is no object")
        values["sequence"] = nil
        values["recordedtime"] = nil
        return values as NSDictionary
    }
}

extension VendorSimulator {
    /// The ids that revision 1 of everything that has happened must have, made from the contract's words alone:
    /// 80 bits of SHA-256 over kind, account, identity and revision.
    func expectedIDs(account: String) -> [String] {
        truth(at: .present).compactMap { row in
            Timestamp(chinaText: row.visit.visitTime).map { time in
                let text = "tanma.visits\n\(account)\n\(row.visit.identity)\n1"
                return EventID(time: time, digest: Digest.sha256(Array(text.utf8))).text
            }
        }
    }
}

extension Timestamp {
    static var present: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
