package import EventModel
package import Normalizing
package import Ports

/// One reading of every customer that stores nothing: what `millrace poll --dry-run` shows for sources of single customers.
/// Needs no store; a running relay is left alone.
package struct DryCustomerPoll: Sendable {
    private let source: any CustomerSource
    private let relations: CustomerPoller.Relations
    private let normalizing: RowNormalizing
    private let since: Timestamp
    private let timekeeper: any Timekeeper

    /// - Parameter since: customers are discovered back to here.
    package init(
        _ source: any CustomerSource, relations: CustomerPoller.Relations, normalizing: RowNormalizing,
        since: Timestamp, timekeeper: any Timekeeper
    ) {
        (self.source, self.relations, self.normalizing) = (source, relations, normalizing)
        (self.since, self.timekeeper) = (since, timekeeper)
    }

    /// Reads relations forward and each customer as it is found, and hands over what would be appended.
    package nonisolated(nonsending) func run(
        each: nonisolated(nonsending) ([LogRow]) async -> Void
    ) async throws(SourceError) {
        var discovery = CustomerDiscovery(
            lanes: relations.source.lanes, since: since, state: nil, now: timekeeper.now)
        var seen: Set<String> = []
        while let (window, lane) = discovery.next(now: timekeeper.now) {
            var found: [String] = []
            var rows = 0
            try await relations.source.read(window, lane: lane) { page throws(SourceError) in
                rows += page.rows.count
                found += page.rows.compactMap { relations.customer($0)?.key(for: source.kind) }
            }
            for key in found where seen.insert(key).inserted {
                await each(normalizing.normalize(try await source.read(key).rows))
            }
            discovery.completed(window, lane: lane, rows: rows)
        }
    }
}
