/// Dates and waits in HTTP headers (RFC 9110, sections 5.6.7 and 10.2.3).
package enum HTTPDate {
    /// The form every sender must use: `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    package static func parse(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, weekdays.contains(parts[0]), let month = months.firstIndex(of: parts[2]),
            parts[4].utf8.count == 8, parts[5] == "GMT"
        else { return nil }
        let number = String(month + 1)
        let padded = number.count == 1 ? "0" + number : number
        return Timestamp(rfc3339: "\(parts[3])-\(padded)-\(parts[1])T\(parts[4])Z")
    }

    /// `Retry-After` in both forms, as a wait from `now` of a day at most; a date in the past is no wait.
    package static func retryAfter(_ text: String, now: Timestamp) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) {
            // A number too long for 64 bits is more than a day as well.
            return .seconds(min(Int64(text) ?? .max, 86_400))
        }
        guard let date = parse(text) else { return nil }
        return max(.zero, min(date - now, .seconds(86_400)))
    }

    private static let weekdays: Set = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
