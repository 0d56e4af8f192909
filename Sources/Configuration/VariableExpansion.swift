/// Expands `${NAME}`, `${NAME:-default}`, `${file:/path}` and `$$` in one value, once: what comes in is not looked at
/// again, so a secret may hold any character.
struct VariableExpansion {
    struct Failure: Equatable {
        let message: String
        let allowed: String
    }

    struct Outcome: Equatable {
        var text = ""
        var failures: [Failure] = []
        /// Whether any of the text came from outside the file.
        var isExpanded = false
        /// Whether a `:-default` was taken.
        var usedDefault = false
    }

    private static let forms = "allowed: ${NAME}, ${NAME:-default}, ${file:/path}, and $$ for a dollar sign"

    private let surroundings: ConfigurationSurroundings

    init(_ surroundings: ConfigurationSurroundings) {
        self.surroundings = surroundings
    }

    func expand(_ text: String) -> Outcome {
        var outcome = Outcome()
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            outcome.text += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                outcome.text += "$"
                rest.removeFirst()
            } else if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    outcome.failures.append(Failure(message: "a ${ is not closed", allowed: Self.forms))
                    return outcome
                }
                expand(placeholder: rest[rest.index(after: rest.startIndex)..<end], into: &outcome)
                rest = rest[rest.index(after: end)...]
            } else {
                // A lone dollar sign is itself: passwords and patterns hold them.
                outcome.text += "$"
            }
        }
        outcome.text += rest
        return outcome
    }

    private func expand(placeholder: Substring, into outcome: inout Outcome) {
        outcome.isExpanded = true
        if placeholder.hasPrefix("file:") {
            expand(file: String(placeholder.dropFirst(5)), into: &outcome)
            return
        }
        let parts = placeholder.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard Self.isName(name), parts.count == 1 || !parts[1].contains("${") else {
            // Not echoed: it may be a piece of a password that only looks like a variable.
            outcome.failures.append(Failure(message: "a ${…} is not understood", allowed: Self.forms))
            return
        }
        let value = surroundings.environment(name)
        if parts.count == 2, value?.isEmpty ?? true {
            outcome.text += parts[1]
            outcome.usedDefault = true
        } else if let value {
            outcome.text += value
        } else {
            outcome.failures.append(
                Failure(
                    message: "the environment variable \(name) is not set",
                    allowed: "set it or write ${\(name):-default}"))
        }
    }

    private func expand(file path: String, into outcome: inout Outcome) {
        do {
            var content = try surroundings.readFile(path)
            // Swift sees \r\n as one character.
            if content.last?.isNewline == true { content.removeLast() }
            outcome.text += content
        } catch {
            let reason = (error as? UnreadableFile)?.reason ?? "it cannot be read"
            outcome.failures.append(
                Failure(
                    message: "the file \(Reading.quoted(path)) is not usable (\(reason))",
                    allowed: "allowed: ${file:/path} of a readable text file"))
        }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}

extension UInt8 {
    /// ASCII only.
    var isLetter: Bool { isLowercase || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    var isLowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
