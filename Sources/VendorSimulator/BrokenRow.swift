/// A row as no honest encoder writes it, for readers that must survive one.
enum BrokenRow {
    /// - Parameters:
    ///   - number: which broken row this is; the kinds take turns.
    ///   - time: its `visitTime`, of a sound neighbour, so that it lies within the window.
    static func encoded(number: Int, time: String) -> [UInt8] {
        let nickname = [#"\ud83d"#, "broken\u{1}row", "broken row"][number % 3]
        let duration = number % 3 == 2 ? "100000000000000000000000000042" : "7"
        return Array(
            """
            {"unionid":"oBrokenRow\(number)","customerId":null,"nickname":"\(nickname)","avatar":null,\
            "mobile":null,"contentType":"1","contentId":"00000000000000000000000000000000",\
            "contentTitle":"broken","visitTime":"\(time)","viewDuration":\(duration),"viewTimes":1,\
            "qwUserId":null,"createTime":"\(time)","shareFrom":{"type":1,"prevVisitorUnionId":null,\
            "qwUserId":null},"shareChainSteps":null,"shareTo":[]}
            """.utf8)
    }
}
