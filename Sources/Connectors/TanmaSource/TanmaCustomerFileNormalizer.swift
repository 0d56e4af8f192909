package import EventModel
package import Ports
import RowDecoding

/// Turns customer files into `data` of `customer_file.created` and `.updated` (contract, section 3).
///
/// The file's address is on a vendor host: it is published, never fetched. Its name follows the title's privacy class: they
/// are mostly the same text.
package struct TanmaCustomerFileNormalizer: Normalizer {
    package let kind = SourceKind.customerFiles
    private let privacy: Privacy

    package init(privacy: Privacy) {
        self.privacy = privacy
    }

    package var documentedFields: Set<String> { Set(Key.allCases.map(\.rawValue)) }

    package func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let fields = try VendorRow<Key>.read(row)
        guard let id = try fields.integer(.id) else { throw RowError("id: missing") }
        guard let customer = try fields.integer(.customerId) else { throw RowError("customerId: missing") }
        guard let created = try fields.chinaTime(.createTime) else { throw RowError("createTime: missing") }
        let file = try File(fields)
        let staff = try fields.integer(.salesId).map { String($0) }
        let title = privacy.apply(try fields.text(.fileName), as: .note)
        let author = try fields.integer(.operatorId).map { String($0) }
        let authorName = privacy.apply(try fields.text(.authorName), as: .name)
        let note = privacy.apply(try fields.text(.followContent), as: .note)
        let corp = try fields.text(.corpid)
        var writer = JSONWriter(reserving: 768)
        writer.object { data in
            data.member("record_id", String(id))
            data.object("customer") { $0.member("id", String(customer)) }
            data.object("staff") { $0.member("internal_id", staff) }
            data.object("file") { object in
                object.member("id", file.id)
                object.member("name", privacy.apply(file.name, as: .note))
                object.member("url", file.url)
                object.member("type", file.type)
                object.member("size_text", file.size)
            }
            data.member("title", title)
            data.object("author") { object in
                object.member("id", author)
                object.member("name", authorName)
            }
            data.member("note", note)
            data.member("corp_id", corp)
            data.member("created_at", created.instant.rfc3339)
        }
        return NormalizedRow(
            identity: String(id), time: created.instant, subject: "customer/\(customer)", data: writer.bytes)
    }

    private enum Key: String, CodingKey, CaseIterable {
        case id, corpid, salesId, customerId, createTime, fileContent, fileName, operatorId, authorName,
            followContent
    }

    private enum FileKey: String, CodingKey { case name, url, size, type, fileId }

    /// What `fileContent` says: JSON in a string, here and there perhaps JSON itself.
    private struct File {
        let id, name, url, type, size: String?

        init(_ row: VendorFields<Key>) throws(RowError) {
            guard let content = try row.embedded(.fileContent, keyedBy: FileKey.self) else {
                (id, name, url, type, size) = (nil, nil, nil, nil, nil)
                return
            }
            id = try content.text(.fileId)
            name = try content.text(.name)
            url = try content.text(.url)
            type = try content.text(.type)
            size = try content.text(.size)
        }
    }
}
