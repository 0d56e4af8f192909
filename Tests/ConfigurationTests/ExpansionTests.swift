import Configuration
import Services
import Testing

/// Variables and files in values (contract, section 2): once, in values only, unset is an error.
@Suite struct ExpansionTests {
    private let harness = ConfigurationHarness(
        environment: ["NAME": "acme", "EMPTY": "", "NESTED": "${NAME}", "SIZE": "7", "DOLLAR": "$$"],
        files: ["/key": "one\n", "/windows": "two\r\n", "/lines": "three\n\n", "/empty": ""])

    private func appKey(_ text: String) throws -> String? {
        let account = "accounts:\n- {name: t, vendor: tanma, app_id: i, app_key: \(text)}"
        return try harness.settings(Good.relay + account).accounts.first?.appKey.reveal()
    }

    static let valuesAreExpandedOnceCases: [(String, String)] = [
        ("${NAME}", "acme"), ("a${NAME}b${NAME}c", "aacmebacmec"), ("${NESTED}", "${NAME}"),
        ("${DOLLAR}", "$$"), ("$${NAME}", "${NAME}"), ("$$$${NAME}", "$${NAME}"), ("$$${NAME}", "$acme"),
        ("a$b$", "a$b$"),
        ("${UNSET:-other}", "other"), ("${NAME:-other}", "acme"), ("${EMPTY:-other}", "other"),
        ("${UNSET:-a:-b}", "a:-b"), ("${file:/key}", "one"), ("${file:/windows}", "two"),
        ("x${file:/key}y", "xoney"),
    ]

    @Test(arguments: valuesAreExpandedOnceCases)
    func valuesAreExpandedOnce(text: String, expected: String) throws {
        #expect(try appKey("\"\(text)\"") == expected)
    }

    @Test func theKeyDecidesTheTypeOfAnExpandedValue() throws {
        #expect(try harness.settings(Good.source("page_size: \"${SIZE}\"")).sources.first?.pageSize == 7)
    }

    @Test func anEmptyDefaultLeavesTheKeyOut() throws {
        #expect(try harness.settings(Good.webhook("proxy: '${PROXY:-}'")).webhooks.first?.proxy == nil)
    }

    static let whatCannotBeExpandedIsNamedCases: [(String, String)] = [
        (
            "'${UNSET}'",
            "m.yaml:2: relay.shutdown: the environment variable UNSET is not set, set it or write ${UNSET:-default}"
        ),
        (
            "'${file:/none}'",
            "m.yaml:2: relay.shutdown: the file \"/none\" is not usable (it does not exist), "
                + "allowed: ${file:/path} of a readable text file"
        ),
        (
            "'5${s'",
            "m.yaml:2: relay.shutdown: a ${ is not closed, "
                + "allowed: ${NAME}, ${NAME:-default}, ${file:/path}, and $$ for a dollar sign"
        ),
        (
            "'${a b}'",
            "m.yaml:2: relay.shutdown: a ${…} is not understood, "
                + "allowed: ${NAME}, ${NAME:-default}, ${file:/path}, and $$ for a dollar sign"
        ),
        (
            "'${UNSET:-${NAME}}'",
            "m.yaml:2: relay.shutdown: a ${…} is not understood, "
                + "allowed: ${NAME}, ${NAME:-default}, ${file:/path}, and $$ for a dollar sign"
        ),
        (
            "'${NAME}'",
            "m.yaml:2: relay.shutdown: the value is not a duration, "
                + "allowed: a duration above 0, as in 500ms, 10s, 5m, 2h or 7d"
        ),
    ]

    @Test(arguments: whatCannotBeExpandedIsNamedCases)
    func whatCannotBeExpandedIsNamed(text: String, expected: String) {
        #expect(harness.problems("relay:\n  shutdown: \(text)\n  name: acme") == [expected])
    }

    @Test func keysAreNeverExpanded() {
        #expect(
            harness.problems("relay: {name: acme, '${NAME}': 1}") == [
                "m.yaml:1: relay: a key is not a plain name, "
                    + "allowed: letters, digits and _-. and a space after the colon"
            ])
    }

    @Test func anEmptyVariableIsAnEmptyValue() {
        #expect(
            harness.problems(
                "accounts: [{name: t, vendor: tanma, app_id: i, app_key: '${EMPTY}'}]\nrelay: {name: a}") == [
                    "m.yaml:1: accounts[0].app_key: the value is empty, allowed: the appKey the vendor gave"
                ])
    }

    @Test func anItemOfAListCannotBeLeftOut() {
        #expect(
            harness.problems("relay: {name: a}\nkafka: {brokers: h, events: ['${UNSET:-}', 'visit.*']}") == [
                "m.yaml:2: kafka.events[0]: is empty, allowed: *, a prefix as in visit.*, or an exact name"
            ])
    }
}
