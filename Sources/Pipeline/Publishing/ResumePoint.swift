import Ports

/// Decides where publishing goes on after a start, from what both sides say. Pure (contract, section 5).
///
///     the other side's position                   goes on from
///     none, or expired                            the store's
///     of this log, up to its head                 the later of both: after a crash the other side may be ahead by one
///                                                 transaction, and behind by what was filtered or given up
///     of another log, or of no known one          nowhere: a new store under an old name would skip its first events
///     above the log's head                        nowhere: a store restored from an old copy would skip what comes now
///
/// `adopt` goes on from the store's position in the last two.
enum ResumePoint: Equatable {
    case at(Int64)
    case refused(String)

    /// - Parameters:
    ///   - stored: the store's position.
    ///   - head: offset of the log's newest event.
    static func decide(
        remote: RemotePosition?, logID: String, stored: Int64, head: Int64, adopt: Bool
    ) -> ResumePoint {
        guard let remote else { return .at(stored) }
        let isOwn = remote.logID == logID
        if isOwn, remote.offset <= head { return .at(max(stored, remote.offset)) }
        if adopt { return .at(stored) }
        let writer =
            "written by process \(remote.pid.map(String.init) ?? "?") on \(remote.host ?? "an unknown host")"
        if isOwn {
            return .refused(
                "the position in Kafka is \(remote.offset), \(writer), but this log ends at \(head): "
                    + "the store is an older copy; start with --adopt to go on from the store's position \(stored)"
            )
        }
        return .refused(
            "the position in Kafka is \(remote.offset) of another log (\(remote.logID ?? "unknown"), \(writer)), "
                + "this one is \(logID); start with --adopt to go on from the store's position \(stored)")
    }
}
