package import EventModel

/// A topic name with placeholders: `millrace.{entity}` (`{entity}`, `{type}`, `{account}`, `{vendor}`).
///
/// The default keeps all types of an entity in one topic, so that revisions of a row stay in order.
package struct TopicTemplate: Sendable, Equatable {
    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    package func name(for event: StoredEvent) -> String {
        name(
            entity: event.kind?.entity ?? OperationalEvents.entity, type: event.type,
            account: event.account ?? Self.own, vendor: event.kind?.vendor.rawValue ?? Self.own)
    }

    /// Every topic that events of these sources, and the relay's own, can go to; sorted, each once.
    /// - Parameter patterns: of the types that are published.
    package func names(
        for sources: [(account: String, kind: SourceKind)], matching patterns: [NamePattern]
    ) -> [String] {
        let names = sources.flatMap { source in
            source.kind.eventTypes.filter(patterns.match).map { type in
                name(
                    entity: source.kind.entity, type: type, account: source.account,
                    vendor: source.kind.vendor.rawValue)
            }
        }
        let own = OperationalEvents.types.filter(patterns.match).map {
            name(entity: OperationalEvents.entity, type: $0, account: Self.own, vendor: Self.own)
        }
        return Set(names + own).sorted()
    }

    /// Stands for the account and the vendor of the relay's own events.
    private static let own = "millrace"

    private func name(entity: String, type: String, account: String, vendor: String) -> String {
        text.replacing("{entity}", with: entity).replacing("{type}", with: type)
            .replacing("{account}", with: account).replacing("{vendor}", with: vendor)
    }
}
