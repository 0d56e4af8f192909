/// What one value may be: how to read it, and how to say what is allowed.
struct Rule<Output> {
    enum Verdict {
        case accepted(Output)
        /// Completes a sentence that begins with the value: "is not a duration".
        case refused(String)
    }

    /// Completes "allowed: ".
    let allowed: String
    /// Then a message never holds the value.
    let isSecret: Bool
    let judge: (String) -> Verdict

    init(_ allowed: String, isSecret: Bool = false, judge: @escaping (String) -> Verdict) {
        (self.allowed, self.isSecret, self.judge) = (allowed, isSecret, judge)
    }
}

extension Rule where Output == Bool {
    static var flag: Rule {
        Rule("true or false") {
            switch $0 {
            case "true": .accepted(true)
            case "false": .accepted(false)
            default: .refused("is neither true nor false")
            }
        }
    }
}

extension Rule where Output == Int {
    static func integer(_ range: ClosedRange<Int>) -> Rule {
        Rule("an integer from \(range.lowerBound) to \(range.upperBound)") {
            guard let number = Int($0) else { return .refused("is not an integer") }
            return range.contains(number) ? .accepted(number) : .refused("is out of range")
        }
    }
}

extension Rule where Output == Double {
    static func number(above low: Double, upTo high: Double) -> Rule {
        number("a number above \(plain(low)), at most \(plain(high))") { $0 > low && $0 <= high }
    }

    static func number(from low: Double, upTo high: Double) -> Rule {
        number("a number from \(plain(low)) to \(plain(high))") { $0 >= low && $0 <= high }
    }

    private static func number(_ allowed: String, _ fits: @escaping (Double) -> Bool) -> Rule {
        Rule(allowed) { text in
            // Swift would also read `inf`, `nan` and hexadecimal.
            guard text.utf8.allSatisfy({ $0.isDigit || "+-.eE".utf8.contains($0) }), let number = Double(text)
            else {
                return .refused("is not a number")
            }
            return fits(number) ? .accepted(number) : .refused("is out of range")
        }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}

extension Rule where Output: RawRepresentable, Output.RawValue == String {
    static func oneOf(_ cases: [Output]) -> Rule {
        Rule(cases.map(\.rawValue).joined(separator: ", ")) { text in
            cases.first { $0.rawValue == text }.map { .accepted($0) } ?? .refused("is not known here")
        }
    }
}

extension Rule where Output == String {
    /// Any text of one line that is not empty.
    static func text(_ allowed: String, isSecret: Bool = false) -> Rule {
        Rule(allowed, isSecret: isSecret) { text in
            if let refusal = lineRefusal(text) { return .refused(refusal) }
            return .accepted(text)
        }
    }

    /// The relay's and a source's name, which become part of event sources, topics and Kafka's ids.
    static var strictName: Rule {
        Rule("1 to 64 of a-z, 0-9 and -") { text in
            let fits = text.utf8.allSatisfy { $0.isLowercase || $0.isDigit || $0 == UInt8(ascii: "-") }
            return fits && (1...64).contains(text.utf8.count) ? .accepted(text) : .refused("is not a name")
        }
    }

    /// The name of an account, a webhook or a token: what is safe in a URL's path and in a topic's name.
    static var name: Rule {
        Rule("1 to 64 of letters, digits and -_.") { text in
            let fits = text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_.".utf8.contains($0) }
            return fits && (1...64).contains(text.utf8.count) ? .accepted(text) : .refused("is not a name")
        }
    }
}

/// Why a text cannot be one line of a header or a request; nil when it can.
func lineRefusal(_ text: String) -> String? {
    if text.isEmpty { return "is empty" }
    let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    return hasControl ? "has control characters" : nil
}
