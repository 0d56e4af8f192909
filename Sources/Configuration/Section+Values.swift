import YAML

extension Section {
    /// The value of a key that is there and as the rule wants it; nil otherwise, reported if it was wrong.
    mutating func value<Output>(_ key: String, _ rule: Rule<Output>) -> Output? {
        node(key).flatMap { reading.value($0, at: child(key), rule) }
    }

    mutating func take<Output>(_ key: String, _ rule: Rule<Output>, into place: inout Output) {
        if let value = value(key, rule) { place = value }
    }

    mutating func take<Output>(_ key: String, _ rule: Rule<Output>, into place: inout Output?) {
        if let value = value(key, rule) { place = value }
    }

    /// As `take`, and a key that is absent is a problem.
    mutating func require<Output>(_ key: String, _ rule: Rule<Output>, into place: inout Output) {
        if let value = value(key, rule) {
            place = value
        } else if !reading.hasProblem(at: child(key)) {
            refuse(key, "is missing", "allowed: \(rule.allowed)")
        }
    }

    /// A path to a file that is there and can be read.
    mutating func takeFile(_ key: String, into place: inout String?) {
        guard let path = value(key, .text("a path to a readable file")) else { return }
        if !reading.surroundings.isReadable(path) {
            let subject = reading.subject(child(key), path)
            refuse(key, "the file \(subject) cannot be read", "allowed: a path to a readable file")
        }
        place = path
    }

    /// The items of a list; nil when the key is absent or no list.
    mutating func items(_ key: String, allowed: String) -> [(path: String, node: YAMLNode)]? {
        guard let node = node(key) else { return nil }
        guard case .sequence(let items) = node.kind else {
            refuse(key, "\(node.found) instead of a list", "allowed: \(allowed)")
            return nil
        }
        return items.enumerated().map { index, item in
            let path = "\(child(key))[\(index)]"
            reading.saw(path, line: item.line)
            return (path, item)
        }
    }

    /// A list of single values; wrong ones are reported and left out.
    mutating func takeList<Output>(
        _ key: String, of rule: Rule<Output>, isEmptyAllowed: Bool = true, into place: inout [Output]
    ) {
        guard let items = items(key, allowed: "a list of \(rule.allowed)") else { return }
        if items.isEmpty, !isEmptyAllowed {
            refuse(key, "the list is empty", "allowed: at least one of \(rule.allowed)")
        }
        place = items.compactMap { path, node in
            let value = reading.value(node, at: path, rule)
            // Only a key can be left out by an empty default: places in a list must stay those of the file.
            if value == nil, !reading.hasProblem(at: path) {
                reading.refuse(path, "is empty", "allowed: \(rule.allowed)")
            }
            return value
        }
    }

    /// Free keys with single values, such as headers.
    mutating func takePairs<Output>(_ key: String, of rule: Rule<Output>, into place: inout [String: Output])
    {
        let pairs: [String: Output]? = subsection(key) { section in
            var pairs: [String: Output] = [:]
            for (name, node) in section.freeEntries() {
                pairs[name] = section.reading.value(node, at: section.child(name), rule)
            }
            return pairs
        }
        if let pairs { place = pairs }
    }

    /// A mapping below this one; nil when the key is absent or no mapping.
    mutating func subsection<Output>(_ key: String, _ body: (inout Section) -> Output) -> Output? {
        node(key).flatMap { Section.read($0, at: child(key), in: reading, body) }
    }

    /// A list of mappings, each with its path for the checks that come later.
    mutating func subsections<Output>(_ key: String, _ body: (inout Section) -> Output) -> [Placed<Output>] {
        (items(key, allowed: "a list of mappings") ?? []).compactMap { path, node in
            Section.read(node, at: path, in: reading, body).map { Placed(path: path, value: $0) }
        }
    }
}

/// A value and the path it was read at.
struct Placed<Value> {
    let path: String
    var value: Value
}
