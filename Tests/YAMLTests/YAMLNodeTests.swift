import Testing
import YAML

/// What a tree holds, and that no text of any shape gets past the bounds or traps.
@Suite struct YAMLNodeTests {
    private func shape(_ node: YAMLNode) -> String {
        switch node.kind {
        case .scalar(let text, let isQuoted): isQuoted ? "'\(text)'" : text
        case .sequence(let items): "[" + items.map(shape).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\(shape($0.key)): \(shape($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    @Test(arguments: [
        ("a: 1\nb: [x, 'y', \"z\"]", "{a: 1, b: [x, 'y', 'z']}"),
        ("- {a: b}\n- - c", "[{a: b}, [c]]"),
        ("a: |\n  one\n  two\n", "{a: 'one\ntwo\n'}"),
        ("a: >\n  one\n  two\n", "{a: 'one two\n'}"),
        ("a:", "{a: }"),
        ("base: &b {x: 1}\nother: *b", "{base: {x: 1}, other: {x: 1}}"),
        ("&k key: 1\nother: *k", "{key: 1, other: key}"),
        ("名: 值", "{名: 值}"),
        ("\u{FEFF}a: 1", "{a: 1}"),
        ("just text", "just text"),
        ("a: 1\na: 2", "{a: 1, a: 2}"),
    ])
    func textBecomesATree(text: String, expected: String) throws {
        #expect(shape(try YAMLNode.parse(text)) == expected)
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "null"])
    func emptyDocumentIsAnEmptyMapping(text: String) throws {
        #expect(try YAMLNode.parse(text).kind == .mapping([]))
    }

    @Test func nodesKnowWhereTheyStand() throws {
        let root = try YAMLNode.parse("# comment\na: 1\nb:\n  - x\n  - y: 2\n")
        guard case .mapping(let entries) = root.kind, case .sequence(let items) = entries[1].value.kind else {
            Issue.record("not the expected tree")
            return
        }
        #expect([entries[0].key.line, entries[1].key.line, items[0].line, items[1].line] == [2, 3, 4, 5])
        #expect([entries[0].value.column, items[0].column] == [4, 5])
    }

    @Test func onlyUnquotedNothingIsNull() throws {
        for text in ["[]", "~", "null", "Null", "NULL", "''", "'null'", "\"~\"", "nothing"] {
            let node = try YAMLNode.parse("- \(text)")
            guard case .sequence(let items) = node.kind else { continue }
            #expect(items[0].isNull == ["~", "null", "Null", "NULL"].contains(text))
        }
    }

    @Test func duplicateKeysAreNamedWithTheirFirstLine() throws {
        let repeated = try YAMLNode.parse("a: 1\nb: 2\na: 3\n'a': 4\n").duplicateKeys
        #expect(repeated.map(\.key.text) == ["a", "a"])
        #expect(repeated.map(\.key.line) == [3, 4])
        #expect(repeated.map(\.firstLine) == [1, 1])
    }

    @Test(arguments: [
        ("a: [1, 2", YAMLError.Kind.syntax, 1),
        ("a: 1\n\tb: 2", .syntax, 2),
        ("a: 1\n b: 2", .syntax, 2),
        ("a: *", .syntax, 1),
        ("a: 1\nb: \u{1}", .syntax, 2),
        ("a: 1\nb: *missing", .unknownAnchor, 2),
        ("a: &a [*a]", .unknownAnchor, 1),
        ("a: 1\n---\nb: 2", .severalDocuments, 2),
        ("a: 1\nb: !!binary aGk=", .tag, 2),
    ])
    func whatIsNotOneDocumentIsRefusedWithItsLine(text: String, kind: YAMLError.Kind, line: Int) {
        let error = #expect(throws: YAMLError.self) { try YAMLNode.parse(text) }
        #expect(error?.kind == kind)
        #expect(error?.line == line)
    }

    @Test func errorsNeverQuoteTheDocument() {
        let error = #expect(throws: YAMLError.self) { try YAMLNode.parse("secret: [hunter2\nother: }") }
        #expect(error.map { !$0.description.contains("hunter2") } == true)
    }

    @Test func aliasesCannotMultiplyWithoutBound() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let error = #expect(throws: YAMLError.self) { try YAMLNode.parse(text) }
        #expect(error?.kind == .tooLarge)
    }

    @Test(arguments: [(98, true), (99, true), (100, false), (50_000, false)])
    func depthIsBounded(levels: Int, fits: Bool) {
        let text = String(repeating: "[", count: levels) + "x" + String(repeating: "]", count: levels)
        #expect(((try? YAMLNode.parse(text)) != nil) == fits)
    }

    @Test func aliasesCountForDepth() {
        let half = String(repeating: "[", count: 60)
        let close = String(repeating: "]", count: 60)
        let text = "a: &a \(half)x\(close)\nb: \(half)*a\(close)\n"
        let error = #expect(throws: YAMLError.self) { try YAMLNode.parse(text) }
        #expect(error?.kind == .tooLarge)
    }

    @Test func cutAndDamagedTextsNeverTrap() {
        let whole = Array("a: &x {b: [1, 'two', \"th\\u0041ree\"], c: |\n   text\n}\nd: *x\n名: ~\n".utf8)
        for end in whole.indices {
            _ = try? YAMLNode.parse(String(decoding: whole[..<end], as: UTF8.self))
            var damaged = whole
            damaged[end] ^= 0x15
            _ = try? YAMLNode.parse(String(decoding: damaged, as: UTF8.self))
        }
    }
}
