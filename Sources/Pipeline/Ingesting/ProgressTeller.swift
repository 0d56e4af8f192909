import Services

/// Tells how far a source's long work has come: on the display each time, in the log now and then.
struct ProgressTeller {
    /// Log lines of one work are at least this far apart.
    static let interval: Duration = .seconds(30)

    private let source: String
    private let display: any ProgressDisplay
    private let logger: Logger
    private var lastLine: Duration?
    private var isUnderWay = false

    init(source: String, display: any ProgressDisplay, logger: Logger) {
        (self.source, self.display, self.logger) = (source, display, logger)
    }

    /// - Parameters:
    ///   - done: parts of the work, of `all`.
    ///   - detail: where the work stands: a time, a number of customers.
    ///   - elapsed: a monotonic clock.
    mutating func tell(_ done: Double, of all: Double, detail: String, rows: Int, elapsed: Duration) {
        let fraction = all > 0 ? min(1, max(0, done / all)) : 1
        isUnderWay = true
        display.show(source, fraction: fraction, detail: detail)
        if let lastLine, elapsed - lastLine < Self.interval { return }
        lastLine = elapsed
        logger.info(
            "backfill under way",
            [
                .source: .text(source), .percent: .count(Int(fraction * 100)), .at: .text(detail),
                .rows: .count(rows),
            ])
    }

    mutating func done(rows: Int) {
        guard isUnderWay else { return }
        isUnderWay = false
        lastLine = nil
        display.end(source)
        logger.info("backfill done", [.source: .text(source), .rows: .count(rows)])
    }
}
