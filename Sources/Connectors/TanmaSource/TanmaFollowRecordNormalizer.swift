package import EventModel
package import Ports
import RowDecoding

/// Turns follow records into `data` of `follow_record.created`, `.updated` and `.deleted` (contract, section 3).
package struct TanmaFollowRecordNormalizer: Normalizer {
    package let kind = SourceKind.followRecords
    private let privacy: Privacy

    package init(privacy: Privacy) {
        self.privacy = privacy
    }

    package var documentedFields: Set<String> { Set(Key.allCases.map(\.rawValue)) }

    package func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let fields = try VendorRow<Key>.read(row)
        guard let id = try fields.integer(.id) else { throw RowError("id: missing") }
        guard let customer = try fields.text(.externalUserId) else {
            throw RowError("externalUserId: missing")
        }
        guard let created = try fields.chinaTime(.gmtCreateTime) else {
            throw RowError("gmtCreateTime: missing")
        }
        let staff = try fields.text(.qwUserId)
        let content = privacy.apply(try fields.text(.content), as: .note)
        let code = try fields.integer(.followType)
        var writer = JSONWriter(reserving: 512)
        writer.object { data in
            data.member("record_id", String(id))
            data.object("customer") { $0.member("external_user_id", customer) }
            data.object("staff") { $0.member("id", staff) }
            data.member("content", content)
            data.member("kind", Self.kindName(code))
            data.member("kind_code", code)
            data.member("created_at", created.instant.rfc3339)
        }
        return NormalizedRow(
            identity: String(id), time: created.instant, subject: "external_user/\(customer)",
            data: writer.bytes)
    }

    private enum Key: String, CodingKey, CaseIterable {
        case id, qwUserId, externalUserId, content, followType, gmtCreateTime
    }

    /// A reading of the vendor's samples; other codes are published as unknown, with their number.
    private static func kindName(_ code: Int64?) -> String {
        switch code {
        case 1: "manual"
        case 2: "system"
        default: "unknown"
        }
    }
}
