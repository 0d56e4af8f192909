import EventModel
import Ports
import RowDecoding

/// One row of the outflow list, in the vendor's words: the customer, with `staff`, `staff_relation` and `tags` inside.
struct WeibanOutflow {
    /// Documented fields that are not republished.
    static let unpublished: Set<String> = [
        "external_profile", "organization_correlation_time", "organization_id", "updated_at",
    ]

    enum Key: String, CodingKey, CaseIterable {
        case avatar, corpFullName = "corp_full_name", corpName = "corp_name", createdAt = "created_at", gender
        case hasChat = "has_chat", id, lastMessage = "last_msg_time", name, outflowAt = "outflow_at",
            position, score
        case staff, relation = "staff_relation", tags, type, unionid
    }

    enum StaffKey: String, CodingKey { case id, name }

    enum RelationKey: String, CodingKey {
        case addWay = "add_way", createdAt = "created_at", createTime = "createtime", deleteBy = "delete_by"
        case deletedEachOther = "deleted_each_other", description, externalUser = "external_user_ext_id",
            remark
        case staff = "staff_ext_id", staffID = "staff_id", state, updatedAt = "updated_at"
    }

    enum TagKey: String, CodingKey { case id, name, group = "group_ext_id" }

    struct Customer {
        let unionID, name, avatar, corpName, corpFullName, position: String?
        let gender, type, score: Int64?
        let createdAt: Timestamp?
    }

    struct Relation {
        let addedAt, updatedAt: Timestamp?
        let addWay: Int64?
        let deletedBy, remark, description, state: String?
        let deletedEachOther: Bool?
    }

    struct Tag {
        let id, name, groupID: String?
    }

    let outflowAtText: String
    let outflowedAt: Timestamp
    let externalUserID: String
    let staffID, staffName, staffInternalID: String?
    let customer: Customer
    let relation: Relation
    let tags: [Tag]
    let hasChat: Bool?
    let lastMessageAt: Timestamp?

    init(_ bytes: [UInt8]) throws(RowError) {
        let row = try VendorRow<Key>.read(bytes)
        guard let outflowAt = try row.integer(.outflowAt) else { throw RowError("outflow_at: missing") }
        guard let time = try row.epoch(.outflowAt) else { throw RowError("outflow_at: not a time") }
        (outflowAtText, outflowedAt) = (String(outflowAt), time)
        let relation = try row.object(.relation, keyedBy: RelationKey.self)
        let (inRelation, inRow) = (try relation?.text(.externalUser), try row.text(.id))
        guard let customer = inRelation ?? inRow else { throw RowError("id: missing") }
        externalUserID = customer
        let staff = try row.object(.staff, keyedBy: StaffKey.self)
        let (staffOfRelation, staffOfRow) = (try relation?.text(.staff), try staff?.text(.id))
        staffID = staffOfRelation ?? staffOfRow
        staffName = try staff?.text(.name)
        staffInternalID = try relation?.integer(.staffID).map { String($0) }
        self.customer = try Self.customer(row)
        self.relation = try Self.relation(relation)
        tags = try Self.tags(row)
        hasChat = try row.boolean(.hasChat)
        lastMessageAt = try row.epoch(.lastMessage)
    }

    /// A customer can be added again and lost again: a new `outflow_at` is a new loss.
    var identity: String {
        [staffID ?? "", externalUserID, outflowAtText].joined(separator: "\n")
    }

    private static func customer(_ row: VendorFields<Key>) throws(RowError) -> Customer {
        Customer(
            unionID: try row.text(.unionid), name: try row.text(.name), avatar: try row.text(.avatar),
            corpName: try row.text(.corpName), corpFullName: try row.text(.corpFullName),
            position: try row.text(.position), gender: try row.integer(.gender), type: try row.integer(.type),
            score: try row.integer(.score), createdAt: try row.epoch(.createdAt))
    }

    /// `createtime` is when the customer was added (in the sample four seconds before the record's `created_at`).
    private static func relation(_ row: VendorFields<RelationKey>?) throws(RowError) -> Relation {
        let (added, created) = (try row?.epoch(.createTime), try row?.epoch(.createdAt))
        return Relation(
            addedAt: added ?? created, updatedAt: try row?.epoch(.updatedAt),
            addWay: try row?.integer(.addWay), deletedBy: try row?.text(.deleteBy),
            remark: try row?.text(.remark),
            description: try row?.text(.description), state: try row?.text(.state),
            deletedEachOther: try row?.boolean(.deletedEachOther))
    }

    private static func tags(_ row: VendorFields<Key>) throws(RowError) -> [Tag] {
        var tags: [Tag] = []
        for tag in try row.objects(.tags, keyedBy: TagKey.self) {
            tags.append(Tag(id: try tag.text(.id), name: try tag.text(.name), groupID: try tag.text(.group)))
        }
        return tags
    }
}
