package import EventModel
package import Ports
import RowDecoding

/// Turns churned customers into `data` of `customer.outflowed` and `customer.outflow_updated` (contract, section 3).
///
/// Staff mobiles, e-mails and QR codes are in the row and are not republished.
package struct WeibanOutflowNormalizer: Normalizer {
    package let kind = SourceKind.outflow
    private let privacy: Privacy

    package init(privacy: Privacy) {
        self.privacy = privacy
    }

    package var documentedFields: Set<String> {
        WeibanOutflow.unpublished.union(WeibanOutflow.Key.allCases.map(\.rawValue))
    }

    package func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let outflow = try WeibanOutflow(row)
        return NormalizedRow(
            identity: outflow.identity, time: outflow.outflowedAt,
            subject: "external_user/\(outflow.externalUserID)", data: data(outflow))
    }

    private func data(_ outflow: WeibanOutflow) -> [UInt8] {
        var writer = JSONWriter(reserving: 2048)
        writer.object { data in
            data.object("customer") { write(outflow.customer, outflow.externalUserID, &$0) }
            data.object("staff") { staff in
                staff.member("id", outflow.staffID)
                staff.member("name", outflow.staffName)
                staff.member("internal_id", outflow.staffInternalID)
            }
            data.object("relation") { write(outflow.relation, &$0) }
            data.array("tags") { list in
                for tag in outflow.tags {
                    list.object { object in
                        object.member("id", tag.id)
                        object.member("name", tag.name)
                        object.member("group_id", tag.groupID)
                    }
                }
            }
            data.member("has_chat", outflow.hasChat)
            data.member("last_message_at", outflow.lastMessageAt?.rfc3339)
            data.member("outflowed_at", outflow.outflowedAt.rfc3339)
        }
        return writer.bytes
    }

    private func write(_ customer: WeibanOutflow.Customer, _ id: String, _ object: inout JSONWriter) {
        object.member("external_user_id", id)
        object.member("union_id", customer.unionID)
        object.member("name", privacy.apply(customer.name, as: .name))
        object.member("avatar_url", privacy.apply(customer.avatar, as: .avatarURL))
        object.member("gender_code", customer.gender)
        object.member("type_code", customer.type)
        object.member("score", customer.score)
        object.member("corp_name", privacy.apply(customer.corpName, as: .name))
        object.member("corp_full_name", privacy.apply(customer.corpFullName, as: .name))
        object.member("position", customer.position)
        object.member("created_at", customer.createdAt?.rfc3339)
    }

    private func write(_ relation: WeibanOutflow.Relation, _ object: inout JSONWriter) {
        object.member("added_at", relation.addedAt?.rfc3339)
        object.member("add_way_code", relation.addWay)
        object.member("deleted_by", relation.deletedBy)
        object.member("deleted_each_other", relation.deletedEachOther)
        object.member("remark", privacy.apply(relation.remark, as: .note))
        object.member("description", privacy.apply(relation.description, as: .note))
        object.member("state", relation.state)
        object.member("updated_at", relation.updatedAt?.rfc3339)
    }
}
