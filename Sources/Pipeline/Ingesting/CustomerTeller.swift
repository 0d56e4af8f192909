import EventModel
import Persisting
import Services

/// What a source of single customers says of its work: how far a first pass is, what came of the calls, and whether `max_age`
/// is kept. Once for each thing, never a line for each customer.
struct CustomerTeller {
    /// Lines about work under way are this far apart.
    static let interval: Duration = .seconds(60)

    private let source: String
    private let schedule: CustomerPoller.Schedule
    private let logger: Logger
    private var progress: ProgressTeller
    private var sum = ReadingResult()
    private var calls = 0
    private var found = 0
    private var latest: Duration?
    private var late = false
    private var isFirstPass = true
    private var saidTooMany = false

    init(
        _ source: String, _ schedule: CustomerPoller.Schedule, display: any ProgressDisplay, logger: Logger
    ) {
        (self.source, self.schedule, self.logger) = (source, schedule, logger)
        progress = ProgressTeller(source: source, display: display, logger: logger)
    }

    mutating func discovered(
        _ rows: Int, _ pass: (done: Double, all: Double), _ reached: Timestamp, _ elapsed: Duration
    ) {
        found += rows
        guard pass.done < pass.all * 0.999 else { return }
        progress.tell(pass.done, of: pass.all, detail: reached.rfc3339, rows: found, elapsed: elapsed)
    }

    mutating func read(_ result: ReadingResult) {
        calls += 1
        sum += result
    }

    /// Somebody has waited longer than `max_age`.
    mutating func isLate() {
        late = true
    }

    func isDue(_ elapsed: Duration) -> Bool {
        latest.map { elapsed - $0 >= Self.interval } ?? (calls == 1)
    }

    /// - Parameter isIdle: nobody is due: what was under way is done.
    mutating func tell(_ counts: ScheduleCounts, isIdle: Bool, now: Timestamp, elapsed: Duration) {
        latest = elapsed
        if calls > 0 { tellCalls(counts) }
        tellAge(counts, isIdle: isIdle)
        guard isFirstPass else { return }
        if counts.unread == 0 || isIdle {
            isFirstPass = false
            progress.done(rows: counts.customers)
        } else {
            let read = counts.customers - counts.unread
            progress.tell(
                Double(read), of: Double(counts.customers),
                detail: "\(read) of \(counts.customers) customers",
                rows: read, elapsed: elapsed)
        }
    }

    private mutating func tellCalls(_ counts: ScheduleCounts) {
        let fields: KeyValuePairs<LogKey, LogValue> = [
            .source: .text(source), .customers: .count(calls), .rows: .count(sum.rows.read),
            .stored: .count(sum.rows.stored), .updated: .count(sum.rows.updated),
            .duplicates: .count(sum.rows.duplicate), .deleted: .count(sum.deleted),
        ]
        if sum.rows.stored + sum.rows.updated + sum.deleted > 0 {
            logger.info("customers read", fields)
        } else {
            logger.debug("customers read", fields)
        }
        (calls, sum) = (0, ReadingResult())
    }

    private mutating func tellAge(_ counts: ScheduleCounts, isIdle: Bool) {
        let needed: Duration = .seconds(Double(counts.customers) / schedule.requestsPerSecond)
        if needed > schedule.maxAge, !saidTooMany {
            saidTooMany = true
            logger.warning(
                "max_age cannot be kept: the account's rate is too low for so many customers",
                [
                    .source: .text(source), .customers: .count(counts.customers),
                    .duration: .duration(needed),
                ])
        } else if late, !saidTooMany {
            saidTooMany = true
            logger.warning(
                "max_age is not kept: some customers wait longer", [.source: .text(source)])
        } else if isIdle, !late {
            saidTooMany = needed > schedule.maxAge
        }
        late = false
    }
}
