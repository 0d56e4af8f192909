package import EventModel
package import Ports
import RowDecoding

/// `tanma.customer_files`: `POST /api/v3/customer/list-file-of-customer`, one call for each salesperson's customer.
package struct TanmaCustomerFiles: CustomerSource {
    /// Under which name the salesperson is sent: the vendor's page says one, its sample the other.
    package enum StaffParameter: String, Sendable {
        case userId, salesId
    }

    package let kind = SourceKind.customerFiles
    private let client: TanmaClient
    private let pageSize: Int
    private let staff: StaffParameter

    static let path = "/api/v3/customer/list-file-of-customer"
    /// More pages than this are no customer's files: a vendor that goes on and on is not followed.
    static let maxPages = 1000

    package init(_ client: TanmaClient, pageSize: Int, staff: StaffParameter) {
        (self.client, self.pageSize, self.staff) = (client, pageSize, staff)
    }

    package func read(_ key: String) async throws(SourceError) -> CustomerList {
        let doing = "read a customer's files"
        guard let asked = CustomerReference.filesKey(key) else {
            throw SourceError(.malformed, doing: doing, cause: "the schedule has an entry that is none")
        }
        var paging = FilePaging(pageSize: pageSize)
        var step = FilePaging.Step.next(lastID: nil)
        var rows: [[UInt8]] = []
        var pages = 0
        while case .next(let lastID) = step {
            pages += 1
            guard pages <= Self.maxPages else {
                throw SourceError(.malformed, doing: doing, cause: "the vendor's pages do not end")
            }
            let reply = try await client.post(
                Self.path, body: body(asked.staff, asked.customer, lastID), shape: .counted, doing: doing)
            let received = paging.received(reply.rows.map(Self.id), total: reply.totalCount)
            rows += zip(reply.rows, received.isNew).filter(\.1).map(\.0)
            step = received.step
        }
        return CustomerList(rows: rows, missing: paging.missing)
    }

    private func body(_ staffID: String, _ customer: Int64, _ lastID: Int64?) -> [UInt8] {
        var writer = JSONWriter(reserving: 160)
        writer.object { body in
            switch staff {
            case .userId: body.member("userId", staffID)
            case .salesId:
                // A number in the vendor's sample.
                if let number = Int64(staffID) {
                    body.member("salesId", number)
                } else {
                    body.member("salesId", staffID)
                }
            }
            body.member("customerId", customer)
            body.member("pageSize", Int64(pageSize))
            if let lastID { body.member("lastId", lastID) }
        }
        return writer.bytes
    }

    /// Nil for a row that cannot be read, which says nothing about its page.
    private static func id(_ row: [UInt8]) -> Int64? {
        do throws(RowError) {
            return try VendorRow<IDKey>.read(row).integer(.id)
        } catch {
            return nil
        }
    }

    private enum IDKey: String, CodingKey { case id }
}
