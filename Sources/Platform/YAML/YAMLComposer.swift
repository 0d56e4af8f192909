/// Builds the tree out of the parser's events, within bounds.
///
/// An alias shares its anchor's memory, but whoever walks the tree pays for every node again; so the nodes behind an
/// alias are counted each time, and nine lines of tenfold aliases ("billion laughs") end at the bound.
struct YAMLComposer: ~Copyable {
    /// Far above any configuration, and walked in well under a second.
    static let maxNodes = 100_000
    /// Keeps every recursion over a tree within a thread's stack.
    static let maxDepth = 100

    private struct Anchored {
        let node: YAMLNode
        let nodes: Int
        let depth: Int
    }

    private let parser: YAMLParser
    private var anchors: [String: Anchored] = [:]
    private var nodes = 0
    /// The deepest level reached since it was last reset; tells how deep a finished node is.
    private var deepest = 0

    init(parser: consuming YAMLParser) {
        self.parser = parser
    }

    mutating func document() throws(YAMLError) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try parser.next()
            switch event.kind {
            case .streamEnd:
                return root ?? YAMLNode(kind: .mapping([]), line: 1, column: 1)
            case .documentStart where root != nil:
                throw refusal(.severalDocuments, event, "a second document begins")
            case .documentStart:
                let found = try node(try parser.next(), depth: 1)
                root =
                    found.isNull
                    ? YAMLNode(kind: .mapping([]), line: found.line, column: found.column) : found
            default:
                continue
            }
        }
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> YAMLNode {
        if case .alias(let name) = event.kind { return try aliased(name, event, depth: depth) }
        if event.hasTag { throw refusal(.tag, event, "tags are not supported") }
        try grow(by: 1, depth: depth, event)
        let (nodesBefore, deepestBefore) = (nodes - 1, deepest)
        deepest = depth
        let node = YAMLNode(kind: try kind(event, depth: depth), line: event.line, column: event.column)
        if let anchor = event.anchor {
            // Only a finished node can be named, so a node can never contain itself.
            anchors[anchor] = Anchored(node: node, nodes: nodes - nodesBefore, depth: deepest - depth + 1)
        }
        deepest = max(deepest, deepestBefore)
        return node
    }

    private mutating func kind(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> YAMLNode.Kind {
        switch event.kind {
        case .scalar(let text, let isQuoted): .scalar(text: text, isQuoted: isQuoted)
        case .sequenceStart: .sequence(try items(depth: depth + 1))
        case .mappingStart: .mapping(try entries(depth: depth + 1))
        default: throw refusal(.syntax, event, "a value is missing")
        }
    }

    private mutating func items(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try parser.next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth))
        }
    }

    private mutating func entries(depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        while true {
            let event = try parser.next()
            if case .mappingEnd = event.kind { return entries }
            let key = try node(event, depth: depth)
            entries.append(YAMLNode.Entry(key: key, value: try node(try parser.next(), depth: depth)))
        }
    }

    private mutating func aliased(_ name: String, _ event: YAMLEvent, depth: Int) throws(YAMLError)
        -> YAMLNode
    {
        guard let anchored = anchors[name] else {
            throw refusal(
                .unknownAnchor, event,
                "an alias names an anchor that is not above it; a text that begins with * needs quotes")
        }
        try grow(by: anchored.nodes, depth: depth + anchored.depth - 1, event)
        return anchored.node
    }

    private mutating func grow(by count: Int, depth: Int, _ event: YAMLEvent) throws(YAMLError) {
        nodes += count
        deepest = max(deepest, depth)
        if nodes > Self.maxNodes { throw refusal(.tooLarge, event, "more than \(Self.maxNodes) values") }
        if depth > Self.maxDepth {
            throw refusal(.tooLarge, event, "nested deeper than \(Self.maxDepth) levels")
        }
    }

    private func refusal(_ kind: YAMLError.Kind, _ event: YAMLEvent, _ cause: String) -> YAMLError {
        YAMLError(kind: kind, line: event.line, column: event.column, cause: cause)
    }
}
