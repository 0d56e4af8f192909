import EventModel

extension Rule where Output == Duration {
    /// A duration of more than nothing.
    static var duration: Rule {
        Rule("a duration above 0, as in 500ms, 10s, 5m, 2h or 7d") { text in
            judgeDuration(text) { $0 > .zero ? .accepted($0) : .refused("is too short") }
        }
    }

    /// - Parameter zero: what 0 means here.
    static func duration(zero: String) -> Rule {
        Rule("a duration, as in 500ms, 10s, 5m, 2h or 7d; 0 = \(zero)") { text in
            judgeDuration(text) { .accepted($0) }
        }
    }

    private static func judgeDuration(_ text: String, _ judge: (Duration) -> Verdict) -> Verdict {
        if let duration = Duration(configured: text) { return judge(duration) }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy(\.isDigit)
        return .refused(isNumber ? "has no unit" : "is not a duration")
    }
}

extension Rule where Output == Timestamp {
    static var time: Rule {
        Rule("a time with an offset, as in 2026-11-01T00:00:00+08:00") { text in
            Timestamp(rfc3339: text).map { .accepted($0) } ?? .refused("is not a time")
        }
    }
}

extension Rule where Output == Settings.StartPoint {
    static var startPoint: Rule {
        Rule("now, beginning, an offset from 1, or a time as in 2026-11-01T00:00:00+08:00") { text in
            if text == "now" { return .accepted(.now) }
            if text == "beginning" { return .accepted(.beginning) }
            if let offset = Int64(text) {
                return offset >= 1 ? .accepted(.offset(offset)) : .refused("is out of range")
            }
            return Timestamp(rfc3339: text).map { .accepted(.time($0)) } ?? .refused("is not a position")
        }
    }
}

extension Rule where Output == NamePattern {
    static var pattern: Rule {
        Rule("*, a prefix as in visit.*, or an exact name") { text in
            NamePattern(text).map { .accepted($0) } ?? .refused("is not a pattern")
        }
    }
}
