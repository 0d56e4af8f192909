/// One row of the visits endpoint, as it is served: the vendor's field names, order and texts.
package struct SimulatedVisit: Sendable, Equatable, Decodable {
    /// Where the visitor got the content from.
    package struct ShareFrom: Sendable, Equatable, Decodable {
        package var type: Int64
        package var prevVisitorUnionId: String?
        package var qwUserId: String?
    }

    package var unionid: String?
    package var customerId: Int64?
    package var nickname: String
    package var avatar: String?
    package var mobile: String?
    package var contentType: String
    package var contentId: String
    package var contentTitle: String
    /// `yyyy-MM-dd HH:mm:ss` at UTC+8.
    package var visitTime: String
    package var viewDuration: Int64?
    package var viewTimes: Int64
    package var qwUserId: String?
    /// `yyyy-MM-dd HH:mm:ss` at UTC+8: the birth of the visitor's record.
    package var createTime: String
    package var shareFrom: ShareFrom
    package var shareChainSteps: Int64?

    /// What tells this row from every other of the same account, joined by newlines; never changes.
    package var identity: String {
        let common = [contentType, contentId, visitTime, String(viewTimes)]
        guard let unionid else { return (common + [createTime, nickname]).joined(separator: "\n") }
        return ([unionid] + common).joined(separator: "\n")
    }
}

/// A row the endpoint would serve at some instant.
package struct TrueVisit: Sendable, Equatable {
    package let visit: SimulatedVisit
    /// Whether `viewDuration` was null when the row first appeared and is filled in by now: a reader that was
    /// there in time saw two revisions.
    package let isRevised: Bool
}
