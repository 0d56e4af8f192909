package import EventModel
package import Ports
import RowDecoding
import Signing

/// One row of the visits list, in the vendor's words (16 documented fields).
struct TanmaVisit {
    enum Key: String, CodingKey, CaseIterable {
        case unionid, customerId, nickname, avatar, mobile, contentType, contentId, contentTitle, visitTime
        case viewDuration, viewTimes, qwUserId, createTime, shareFrom, shareChainSteps, shareTo
    }

    enum ShareKey: String, CodingKey { case type, prevVisitorUnionId, qwUserId }

    let unionID, nickname, avatar, mobile, contentType, contentID, contentTitle, staffID: String?
    let customerID, duration, viewCount: Int64?
    let visitTime: (text: String, instant: Timestamp)
    let createTime: (text: String, instant: Timestamp)?
    let sharedFrom: (type: Int64?, visitorUnionID: String?, staffID: String?)
    let shareChain: AnyJSON?
    let sharedTo: AnyJSON?

    init(_ bytes: [UInt8]) throws(RowError) {
        let row = try VendorRow<Key>.read(bytes)
        unionID = try row.text(.unionid)
        customerID = try row.integer(.customerId)
        nickname = try row.text(.nickname)
        avatar = try row.text(.avatar)
        mobile = try row.text(.mobile)
        contentType = try row.text(.contentType)
        contentID = try row.text(.contentId)
        contentTitle = try row.text(.contentTitle)
        duration = try row.integer(.viewDuration)
        viewCount = try row.integer(.viewTimes)
        staffID = try row.text(.qwUserId)
        createTime = try row.chinaTime(.createTime)
        shareChain = try row.anything(.shareChainSteps)
        sharedTo = try row.anything(.shareTo)
        let share = try row.object(.shareFrom, keyedBy: ShareKey.self)
        sharedFrom = (
            try share?.integer(.type), try share?.text(.prevVisitorUnionId), try share?.text(.qwUserId)
        )
        guard let time = try row.chinaTime(.visitTime) else { throw RowError("visitTime: missing") }
        visitTime = time
    }

    /// Account aside, what tells one visit from another. Three visits of one person to one content differ in time and
    /// count alone; without a union id the visitor's birth and name stand in for it.
    var identity: String {
        let visit =
            "\(contentType ?? "")\n\(contentID ?? "")\n\(visitTime.text)\n\(viewCount.map { String($0) } ?? "")"
        if let unionID { return "\(unionID)\n\(visit)" }
        return "\(visit)\n\(createTime?.text ?? "")\n\(nickname ?? "")"
    }

    var subject: String {
        if let unionID { return "unionid/\(unionID)" }
        if let customerID { return "customer/\(customerID)" }
        return "visitor/\(Digest.sha256(Array(identity.utf8)).prefix(8).hexadecimal)"
    }
}

/// Turns visits into `data` of `visit.recorded` and `visit.updated` (contract, section 3).
package struct TanmaVisitNormalizer: Normalizer {
    package let kind = SourceKind.visits
    private let privacy: Privacy

    /// - Parameter privacy: applied to the visitor's name, avatar and mobile.
    package init(privacy: Privacy = .keepEverything) {
        self.privacy = privacy
    }

    package var documentedFields: Set<String> { Set(TanmaVisit.Key.allCases.map(\.rawValue)) }

    package func normalize(_ row: [UInt8]) throws(RowError) -> NormalizedRow {
        let visit = try TanmaVisit(row)
        return NormalizedRow(
            identity: visit.identity, time: visit.visitTime.instant, subject: visit.subject,
            data: try data(visit), customer: visit.customerID.map { CustomerReference(customer: $0) })
    }

    private func data(_ visit: TanmaVisit) throws(RowError) -> [UInt8] {
        let sharedTo = try Self.texts(visit.sharedTo)
        let shareChain = try Self.scalar(visit.shareChain)
        var writer = JSONWriter(reserving: 1024)
        writer.object { data in
            data.object("visitor") { visitor in
                visitor.member("union_id", visit.unionID)
                visitor.member("customer_id", visit.customerID.map { String($0) })
                visitor.member("name", privacy.apply(visit.nickname, as: .name))
                visitor.member("avatar_url", privacy.apply(visit.avatar, as: .avatarURL))
                visitor.member("mobile", privacy.apply(visit.mobile, as: .mobile))
            }
            data.object("staff") { staff in
                staff.member("id", visit.staffID)
            }
            data.object("content") { content in
                content.member("id", visit.contentID)
                content.member("type", visit.contentType)
                content.member("title", visit.contentTitle)
            }
            data.member("visited_at", visit.visitTime.instant.rfc3339)
            data.member("duration_seconds", visit.duration)
            data.member("view_count", visit.viewCount)
            data.member("visitor_created_at", visit.createTime?.instant.rfc3339)
            data.object("shared_from") { share in
                share.member("type", visit.sharedFrom.type)
                share.member("visitor_union_id", visit.sharedFrom.visitorUnionID)
                share.member("staff_id", visit.sharedFrom.staffID)
            }
            data.key("share_chain")
            switch shareChain {
            case .integer(let steps): data.integer(steps)
            case .text(let text): data.string(text)
            case nil: data.null()
            }
            data.array("shared_to") { list in
                for text in sharedTo { list.string(text) }
            }
        }
        return writer.bytes
    }

    private enum Scalar {
        case integer(Int64)
        case text(String)
    }

    /// The vendor does not say what `shareChainSteps` holds: a number stays one, anything else is published as text.
    private static func scalar(_ value: AnyJSON?) throws(RowError) -> Scalar? {
        switch value {
        case nil, .text("[]"), .array([]): nil
        case .integer(let number): .integer(number)
        case .some(let other): .text(try text(other, of: .shareChainSteps))
        }
    }

    /// The vendor's samples show only `[]`: texts stay texts, anything else is published as its JSON.
    private static func texts(_ value: AnyJSON?) throws(RowError) -> [String] {
        switch value {
        case nil, .text("[]"): return []
        case .array(let elements):
            var texts: [String] = []
            for element in elements where element != .null && element != .text("") {
                texts.append(try text(element, of: .shareTo))
            }
            return texts
        case .some(let other): return [try text(other, of: .shareTo)]
        }
    }

    private static func text(_ value: AnyJSON, of key: TanmaVisit.Key) throws(RowError) -> String {
        do { return try value.asText } catch { throw RowError("\(key.stringValue): not readable") }
    }
}

extension VendorFields {
    /// `yyyy-MM-dd HH:mm:ss` in fixed UTC+8, with the vendor's own text beside it.
    func chinaTime(_ key: Key) throws(RowError) -> (text: String, instant: Timestamp)? {
        // What databases write where there is no time.
        guard let text = try text(key), text != "0000-00-00 00:00:00" else { return nil }
        guard let instant = Timestamp(chinaText: text) else {
            throw RowError("\(key.stringValue): not a time of the form yyyy-MM-dd HH:mm:ss")
        }
        return (text, instant)
    }
}
