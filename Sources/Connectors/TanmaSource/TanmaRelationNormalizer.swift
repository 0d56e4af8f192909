package import EventModel
package import Ports
import RowDecoding

/// Turns followed customers into `data` of `relation.created` and `relation.updated` (contract, section 3).
package struct TanmaRelationNormalizer: Normalizer {
    package let kind = SourceKind.relations
    private let privacy: Privacy

    package init(privacy: Privacy) {
        self.privacy = privacy
    }

    package var documentedFields: Set<String> { Set(TanmaRelation.Key.allCases.map(\.rawValue)) }

    package func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let relation = try TanmaRelation(row)
        return NormalizedRow(
            identity: relation.identity, time: relation.createTime.instant,
            subject: "customer/\(relation.customerID)",
            data: data(relation), version: relation.updateTime?.instant,
            customer: CustomerReference(
                customer: relation.customerID, externalUser: relation.externalUserID, staff: relation.staffID)
        )
    }

    private func data(_ relation: TanmaRelation) -> [UInt8] {
        var writer = JSONWriter(reserving: 2048)
        writer.object { data in
            data.object("customer") { customer in
                customer.member("id", String(relation.customerID))
                customer.member("external_user_id", relation.externalUserID)
                customer.member("type", Self.typeName(relation.type))
                customer.member("type_code", relation.type)
            }
            data.object("staff") { $0.member("id", relation.staffID) }
            data.array("fields") { list in
                for field in relation.fields { list.object { write(field, &$0) } }
            }
            data.array("tag_ids") { list in
                for id in relation.tagIDs { list.string(id) }
            }
            data.object("company") { company in
                company.member("id", relation.companyID.map { String($0) })
                company.member("name", privacy.apply(relation.companyName, as: .name))
            }
            data.object("wechat") { wechat in
                wechat.member("nickname", privacy.apply(relation.nickname, as: .name))
                wechat.member("avatar_url", privacy.apply(relation.avatar, as: .avatarURL))
                wechat.member("location", relation.location)
            }
            data.member("remark", privacy.apply(relation.remark, as: .note))
            data.member("created_at", relation.createTime.instant.rfc3339)
            data.member("updated_at", relation.updateTime?.instant.rfc3339)
            data.member("converted_at", relation.convertTime?.instant.rfc3339)
        }
        return writer.bytes
    }

    private func write(_ field: TanmaRelation.Field, _ object: inout JSONWriter) {
        object.member("name", field.name)
        object.member("type_code", field.type)
        switch field.value {
        case .text(let text):
            object.member("value", privacyClass(field.name).map { privacy.apply(text, as: $0) } ?? text)
        case .phones(let phones):
            guard let shown = privacy.apply(phones, as: .mobile) else {
                return object.member("value", nil as String?)
            }
            object.array("value") { list in
                for phone in shown { list.string(phone) }
            }
        }
    }

    /// Fields that hold what other entities publish under a class of their own: what is masked is masked everywhere.
    private func privacyClass(_ field: String?) -> Privacy.Class? {
        switch field {
        case "name", "corp_name": .name
        case "mobile", "phone", "telephone": .mobile
        case "description", "remark": .note
        case "avatar": .avatarURL
        default: nil
        }
    }

    /// 1 and 2 are a reading of the vendor's samples; other codes are published as unknown, with their number.
    private static func typeName(_ code: Int64?) -> String {
        switch code {
        case 1: "individual"
        case 2: "enterprise"
        default: "unknown"
        }
    }
}

/// One row of the relations list, in the vendor's words (15 documented fields, 14 in the sample).
struct TanmaRelation {
    enum Key: String, CodingKey, CaseIterable {
        case customerId, qwUserId, type, fields, tagIds, createTime, lastUpdateTime, companyInfo,
            wechatNickname
        case wechatAvatar, wechatLocation, convertCustomerTime, qwRemark, externalUserId
    }

    enum CompanyKey: String, CodingKey { case id, name }
    enum FieldKey: String, CodingKey { case field, type, valueAsText }

    struct Field {
        enum Value {
            case text(String?)
            /// Type 8: a JSON array inside a string.
            case phones([String])
        }

        let name: String?
        let type: Int64?
        let value: Value
    }

    let customerID: Int64
    let staffID, nickname, avatar, location, remark, externalUserID, companyName: String?
    let type, companyID: Int64?
    let fields: [Field]
    let tagIDs: [String]
    let createTime: (text: String, instant: Timestamp)
    let updateTime, convertTime: (text: String, instant: Timestamp)?

    init(_ bytes: [UInt8]) throws(RowError) {
        let row = try VendorRow<Key>.read(bytes)
        guard let customerID = try row.integer(.customerId) else { throw RowError("customerId: missing") }
        guard let createTime = try row.chinaTime(.createTime) else { throw RowError("createTime: missing") }
        (self.customerID, self.createTime) = (customerID, createTime)
        staffID = try row.text(.qwUserId)
        type = try row.integer(.type)
        nickname = try row.text(.wechatNickname)
        avatar = try row.text(.wechatAvatar)
        location = try row.text(.wechatLocation)
        remark = try row.text(.qwRemark)
        externalUserID = try row.text(.externalUserId)
        updateTime = try row.chinaTime(.lastUpdateTime)
        convertTime = try row.chinaTime(.convertCustomerTime)
        let company = try row.object(.companyInfo, keyedBy: CompanyKey.self)
        companyID = try company?.integer(.id)
        companyName = try company?.text(.name)
        tagIDs = try row.texts(.tagIds)
        fields = try Self.fields(row)
    }

    /// A customer removed and added again is a new relation; the type may change by conversion and is not in the key.
    var identity: String {
        [String(customerID), staffID ?? "", createTime.text].joined(separator: "\n")
    }

    private static func fields(_ row: VendorFields<Key>) throws(RowError) -> [Field] {
        var fields: [Field] = []
        for field in try row.objects(.fields, keyedBy: FieldKey.self) {
            let type = try field.integer(.type)
            let value: Field.Value =
                type == 8 ? .phones(try phones(field)) : .text(try field.text(.valueAsText))
            fields.append(Field(name: try field.text(.field), type: type, value: value))
        }
        return fields
    }

    /// `"[\"188…\"]"`; a text that is no JSON array is one phone.
    private static func phones(_ field: VendorFields<FieldKey>) throws(RowError) -> [String] {
        guard let value = try field.anything(.valueAsText) else { return [] }
        do {
            guard case .text(let text) = value, let inside = AnyJSON.parse(text), case .array = inside else {
                return try value.texts
            }
            return try inside.texts
        } catch {
            throw RowError("valueAsText: not readable")
        }
    }
}
