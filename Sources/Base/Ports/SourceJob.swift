package import EventModel

/// Work a person asked of one source: a poll now, a window read again.
package struct SourceJob: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// What is due and what could be: the live window, now.
        case poll
        /// A window read again; what the log lacks is stored.
        case backfill
        /// The same, with a report of what the log lacked.
        case reconcile
    }

    package enum State: String, Sendable, CaseIterable {
        case queued, running, done, failed
    }

    package let id: Int64
    package let kind: Kind
    /// Nil for a poll.
    package let window: Window?
    package let created: Timestamp
    package var state = State.queued
    package var started: Timestamp?
    package var finished: Timestamp?
    /// 0 to 1.
    package var progress = 0.0
    package var read = 0
    package var stored = 0
    package var updated = 0
    package var duplicate = 0
    package var rejected = 0
    package var tooOld = 0
    /// Offsets of the first events that came of it: what the log lacked.
    package var offsets: [ClosedRange<Int64>] = []
    /// Why it failed; never a payload or a secret.
    package var failure: String?

    package init(id: Int64, kind: Kind, window: Window?, created: Timestamp) {
        (self.id, self.kind, self.window, self.created) = (id, kind, window, created)
    }
}

/// Why a source does not take a job.
package enum JobRefusal: Error, Sendable, Equatable {
    /// As many jobs wait as may.
    case full
    /// The source is read customer by customer and has no windows.
    case noWindows
}

/// What a person may ask of a running source. Called from any task; nothing blocks.
package protocol SourceControl: Sendable {
    var name: String { get }
    var account: String { get }
    var kind: SourceKind { get }
    /// Takes work; it is done between two polls.
    func submit(_ kind: SourceJob.Kind, _ window: Window?) throws(JobRefusal) -> SourceJob
    /// The latest jobs, the newest first.
    var jobs: [SourceJob] { get }
    /// Reads rows anew, as polling would.
    func normalize(_ rows: [[UInt8]]) -> [LogRow]
}
