/// What a row tells of a customer: enough to ask the endpoints that answer one customer at a time.
///
/// Relations introduce customers; a visit of a known one says that something may have changed there.
package struct CustomerReference: Sendable, Hashable {
    /// Tanma's customer id.
    package let customer: Int64
    /// WeCom id of the customer; a customer without one has no follow records to fetch.
    package let externalUser: String?
    /// WeCom id of the salesperson who follows the customer.
    package let staff: String?

    package init(customer: Int64, externalUser: String? = nil, staff: String? = nil) {
        (self.customer, self.externalUser, self.staff) = (customer, externalUser, staff)
    }

    /// What one call of an endpoint is made for: follow records belong to a customer, files to a salesperson's customer.
    /// Nil when there is nothing to ask.
    package func key(for kind: SourceKind) -> String? {
        switch kind {
        case .followRecords: externalUser
        case .customerFiles: staff.map { "\($0)\n\(customer)" }
        case .visits, .relations, .outflow: nil
        }
    }

    /// The salesperson and the customer of a key of `customerFiles`; nil for anything else.
    package static func filesKey(_ key: String) -> (staff: String, customer: Int64)? {
        guard let cut = key.lastIndex(of: "\n"), let customer = Int64(key[key.index(after: cut)...]) else {
            return nil
        }
        return (String(key[..<cut]), customer)
    }
}

extension SourceKind {
    /// Whether the endpoint answers for one customer at a time instead of for a period.
    package var isPerCustomer: Bool {
        self == .followRecords || self == .customerFiles
    }

    /// Whether a row that is absent from a whole reading is told of as deleted.
    package var tellsDeletions: Bool { deletedType != nil }
}
