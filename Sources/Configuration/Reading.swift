import YAML

/// What all parts of one reading share: where every key stands, and what was found wrong so far.
///
/// A class, because sections lend it to each other while they read; it never leaves the call that made it.
final class Reading {
    /// The key of problems that concern the file as a whole.
    static let wholeFile = "file"

    let surroundings: ConfigurationSurroundings
    private let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private var warnings: [ConfigurationProblem] = []
    private var lines: [String: Int] = ["": 1]
    /// Keys whose value came from a variable or a file: it may be a secret whatever the key is.
    private var expanded: Set<String> = []

    init(file: String, surroundings: ConfigurationSurroundings) {
        (self.file, self.surroundings) = (file, surroundings)
    }

    var sortedProblems: [ConfigurationProblem] { Self.byLine(problems) }
    var sortedWarnings: [ConfigurationProblem] { Self.byLine(warnings) }

    /// Notes where a key stands; of a repeated one the first counts, as its value does.
    func saw(_ key: String, line: Int) {
        if lines[key] == nil { lines[key] = line }
    }

    func markExpanded(_ key: String) {
        expanded.insert(key)
    }

    /// - Parameters:
    ///   - line: when the key's own line is not meant.
    ///   - message: what is wrong.
    ///   - allowed: what is allowed, or what to do instead.
    func refuse(_ key: String, line: Int? = nil, _ message: String, _ allowed: String) {
        problems.append(problem(key, line, message, allowed))
    }

    func warn(_ key: String, _ message: String, _ allowed: String) {
        warnings.append(problem(key, nil, message, allowed))
    }

    /// Whether anything was wrong with this key or below it; then a check that builds on it would only confuse.
    func hasProblem(at key: String) -> Bool {
        problems.contains {
            guard $0.key.hasPrefix(key) else { return false }
            let rest = $0.key.dropFirst(key.count)
            return rest.isEmpty || rest.first == "." || rest.first == "["
        }
    }

    /// How a message may call the value of a key: in quotes, or not at all when it came from a variable.
    func subject(_ key: String, _ text: String) -> String {
        isHidden(key) ? "the value" : Self.quoted(text)
    }

    func isHidden(_ key: String) -> Bool { expanded.contains(key) }

    /// One line whatever the text is, and not longer than an eye takes in.
    static func quoted(_ text: String) -> String {
        let line = String(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
        return line.count > 60 ? "\"\(line.prefix(57))…\"" : "\"\(line)\""
    }

    /// The key's own line, or that of the nearest part around it that is in the file.
    private func line(of key: String) -> Int {
        var key = Substring(key)
        while true {
            if let line = lines[String(key)] { return line }
            guard let cut = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { return lines[""] ?? 1 }
            key = key[..<cut]
        }
    }

    private func problem(_ key: String, _ line: Int?, _ message: String, _ allowed: String)
        -> ConfigurationProblem
    {
        ConfigurationProblem(
            file: file, line: line ?? self.line(of: key), key: key.isEmpty ? Self.wholeFile : key,
            message: message,
            allowed: allowed)
    }

    /// The order of finding breaks ties, so that the list is the same every time.
    private static func byLine(_ problems: [ConfigurationProblem]) -> [ConfigurationProblem] {
        problems.enumerated()
            .sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map(\.element)
    }
}

extension Reading {
    /// The text of a scalar with its variables expanded; nil when it is something else, empty by its own default, or
    /// when an expansion failed.
    func text(_ node: YAMLNode, at key: String, allowed: String) -> String? {
        guard let text = node.text, !node.isNull else {
            refuse(key, "\(node.found) instead of a value", "allowed: \(allowed)")
            return nil
        }
        let expansion = VariableExpansion(surroundings).expand(text)
        for failure in expansion.failures { refuse(key, failure.message, failure.allowed) }
        guard expansion.failures.isEmpty else { return nil }
        if expansion.isExpanded { markExpanded(key) }
        // `${PROXY:-}` is how one writes a key that may be left out.
        return expansion.text.isEmpty && expansion.usedDefault ? nil : expansion.text
    }

    func value<Output>(_ node: YAMLNode, at key: String, _ rule: Rule<Output>) -> Output? {
        guard let text = text(node, at: key, allowed: rule.allowed) else { return nil }
        switch rule.judge(text) {
        case .accepted(let value):
            return value
        case .refused(let message):
            let subject = rule.isSecret ? "the value" : subject(key, text)
            refuse(key, "\(subject) \(message)", "allowed: \(rule.allowed)")
            return nil
        }
    }
}

extension YAMLNode {
    /// What stands here, for a message; never the text itself, which may be a secret with a space missing before it.
    var found: String {
        switch kind {
        case .scalar: isNull ? "nothing" : "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
