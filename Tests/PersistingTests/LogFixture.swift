import EventModel
import Foundation
import Ports
import SQLite
import TestSupport

@testable import Persisting

/// A real log on a real file, and made-up rows for it.
struct LogFixture {
    let folder: TemporaryFolder
    let clock: ManualClock
    let source = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")

    init() throws {
        folder = try TemporaryFolder()
        clock = ManualClock()
    }

    var path: String { folder.file("millrace.db") }

    func open() throws(LogError) -> EventLog {
        try EventLog(path: path, timekeeper: clock)
    }

    /// A row of this identity; `content` is what is published, `raw` what the vendor sent.
    static func row(
        _ identity: String, content: String = "a", raw: String? = nil, at time: Timestamp = Self.time,
        subject: String? = nil
    ) -> LogRow {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: .visits, identity: identity, time: time,
            subject: subject ?? "unionid/\(identity)", data: Array(#"{"content":"\#(content)"}"#.utf8))
        return .event(draft, raw: Array((raw ?? "raw of \(content)").utf8))
    }

    static func rows(_ numbers: Range<Int>) -> [LogRow] {
        numbers.map { row("row-\($0)", at: time + .seconds($0)) }
    }

    static let time = Timestamp(seconds: 1_790_000_000)

    static func position(_ state: String, watermark: Timestamp? = nil) -> SourcePosition {
        SourcePosition(state: state, watermark: watermark)
    }
}

/// The part of an event that tests look at.
struct DecodedEvent: Decodable, Equatable {
    let id, sequence, recordedtime, type, subject, partitionkey, dataschema, time: String
    let revision: Int64

    init(_ event: StoredEvent) throws {
        self = try JSONDecoder().decode(DecodedEvent.self, from: Data(event.body))
    }
}

/// The file itself, beside the log or after it: for tests that look or do damage.
func rawConnection(_ path: String) throws -> Connection {
    try Connection(path: path, access: .readWrite, busyTimeout: .seconds(5))
}
