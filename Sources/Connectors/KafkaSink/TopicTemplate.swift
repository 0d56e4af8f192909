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
            entity: event.kind?.entity ?? "operations", type: event.type,
            account: event.account ?? "millrace",
            vendor: event.kind?.vendor.rawValue ?? "millrace")
    }

    /// Every topic that events of these sources can go to; sorted, each once.
    package func names(for sources: [(account: String, kind: SourceKind)]) -> [String] {
        let names = sources.flatMap { source in
            source.kind.eventTypes.map { type in
                name(
                    entity: source.kind.entity, type: type, account: source.account,
                    vendor: source.kind.vendor.rawValue)
            }
        }
        return Set(names).sorted()
    }

    private func name(entity: String, type: String, account: String, vendor: String) -> String {
        text.replacing("{entity}", with: entity).replacing("{type}", with: type)
            .replacing("{account}", with: account).replacing("{vendor}", with: vendor)
    }
}
