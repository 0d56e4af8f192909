import EventModel
import Persisting
import Ports

/// Visits as they look when they are normalized, about 900 bytes as events; the same on every run.
enum BenchRows {
    static let source = SourceIdentity(account: "acme-tanma", kind: .visits, name: "visits")
    private static let filler = String(repeating: "https://thirdwx.qlogo.cn/mmopen/", count: 12)

    static func row(_ number: Int) -> LogRow {
        let draft = EventDraft(
            relay: "acme", account: "acme-tanma", kind: .visits, identity: "o9ATRwThiackDCbyaxFyQ\(number)",
            time: Timestamp(seconds: 1_700_000_000 + Int64(number / 10)),
            subject: "unionid/\(number % 20_000)",
            data: Array(#"{"number":\#(number),"avatar_url":"\#(filler)"}"#.utf8))
        return .event(draft, raw: Array(#"{"viewTimes":\#(number),"avatar":"\#(filler)"}"#.utf8))
    }

    static func page(_ first: Int, _ count: Int = 1000) -> [LogRow] { (first..<(first + count)).map(row) }
}
