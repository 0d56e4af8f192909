package import EventModel
package import Ports

/// `tanma.follow_records`: `POST /api/v2/customer/follow/qw-list-by-customer`.
///
/// No paging and no time filter: the customer's whole history on every call.
package struct TanmaFollowRecords: CustomerSource {
    package let kind = SourceKind.followRecords
    private let client: TanmaClient

    static let path = "/api/v2/customer/follow/qw-list-by-customer"

    package init(_ client: TanmaClient) {
        self.client = client
    }

    package func read(_ key: String) async throws(SourceError) -> CustomerList {
        var writer = JSONWriter(reserving: 80)
        writer.object { $0.member("externalUserId", key) }
        let reply = try await client.post(
            Self.path, body: writer.bytes, shape: .whole, doing: "read a customer's follow records")
        return CustomerList(rows: reply.rows)
    }
}
