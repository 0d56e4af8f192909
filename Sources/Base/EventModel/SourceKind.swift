/// The vendor endpoints that can be polled, and the event types each one yields (contract, section 3).
package enum SourceKind: String, Sendable, CaseIterable, Codable {
    case visits = "tanma.visits"
    case relations = "tanma.relations"
    case followRecords = "tanma.follow_records"
    case customerFiles = "tanma.customer_files"
    case outflow = "weiban.outflow"

    package var vendor: Vendor {
        self == .outflow ? .weiban : .tanma
    }

    /// What a row is about; Kafka's `{entity}`, so that all revisions of a row share a topic.
    package var entity: String {
        switch self {
        case .visits: "visit"
        case .relations: "relation"
        case .followRecords: "follow_record"
        case .customerFiles: "customer_file"
        case .outflow: "outflow"
        }
    }

    /// The type of a row's first revision.
    package var createdType: String {
        switch self {
        case .visits: "visit.recorded"
        case .relations: "relation.created"
        case .followRecords: "follow_record.created"
        case .customerFiles: "customer_file.created"
        case .outflow: "customer.outflowed"
        }
    }

    /// The type of every later revision that still exists upstream.
    package var updatedType: String {
        switch self {
        case .visits: "visit.updated"
        case .relations: "relation.updated"
        case .followRecords: "follow_record.updated"
        case .customerFiles: "customer_file.updated"
        case .outflow: "customer.outflow_updated"
        }
    }

    /// The type that says a row is gone; only follow records can tell.
    package var deletedType: String? {
        self == .followRecords ? "follow_record.deleted" : nil
    }

    package var eventTypes: [String] {
        [createdType, updatedType] + [deletedType].compactMap { $0 }
    }
}

/// The two platforms.
package enum Vendor: String, Sendable, CaseIterable, Codable {
    case tanma
    case weiban
}
