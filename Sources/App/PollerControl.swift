import EventModel
import Ingesting
import Normalizing
import Ports

/// A running source as the API sees it.
struct PollerControl: SourceControl {
    let name: String
    let account: String
    let kind: SourceKind
    let board: JobBoard
    let normalizing: RowNormalizing
    let timekeeper: any Timekeeper

    func submit(_ kind: SourceJob.Kind, _ window: Window?) throws(JobRefusal) -> SourceJob {
        if window != nil, self.kind.isPerCustomer { throw .noWindows }
        return try board.submit(kind, window, at: timekeeper.now)
    }

    var jobs: [SourceJob] { board.jobs }

    func normalize(_ rows: [[UInt8]]) -> [LogRow] { normalizing.normalize(rows) }
}
