import Configuration
import Testing

/// Checks that compare keys with each other, their exact lines, and that one mistake makes one problem.
@Suite struct CrossCheckTests {
    private let harness = ConfigurationHarness(environment: ["ACCOUNT": "hidden"])

    @Test func namesAreUnique() {
        let text = """
            relay: {name: a}
            accounts:
            - \(Good.tanma)
            - {name: t, vendor: weiban, corp_id: c, secret: s}
            webhooks:
            - {name: h, url: 'https://example.com', secret: \(ConfigurationHarness.signingSecret)}
            - {name: h, url: 'https://example.com', secret: \(ConfigurationHarness.signingSecret)}
            http:
              tokens:
              - {name: n, token: 0123456789abcdef, scope: read}
              - {name: n, token: 0123456789abcdef, scope: write}
            """
        #expect(
            harness.problems(text) == [
                "m.yaml:4: accounts[1].name: \"t\" is the name of accounts[0] already, allowed: every name once",
                "m.yaml:7: webhooks[1].name: \"h\" is the name of webhooks[0] already, allowed: every name once",
                "m.yaml:11: http.tokens[1].name: \"n\" is the name of http.tokens[0] already, allowed: every name once",
                "m.yaml:11: http.tokens[1].token: is the token of http.tokens[0] too, allowed: every token once",
            ])
    }

    static let sourcesFitTheirAccountsAndTheStoreCases: [([String], [String])] = [
        (
            ["name: s, account: t, kind: tanma.visits", "name: s, account: t, kind: tanma.relations"],
            ["m.yaml:5: sources[1].name: \"s\" is the name of sources[0] already, allowed: every name once"]
        ),
        (
            ["name: s, account: t, kind: tanma.visits", "name: u, account: t, kind: tanma.visits"],
            [
                "m.yaml:5: sources[1].kind: sources[0] has the same account and kind, allowed: one source per account and kind"
            ]
        ),
        (
            ["name: s, account: x, kind: tanma.visits"],
            ["m.yaml:4: sources[0].account: \"x\" names no account, allowed: t, w"]
        ),
        (
            ["name: s, account: '${ACCOUNT}', kind: tanma.visits"],
            ["m.yaml:4: sources[0].account: the value names no account, allowed: t, w"]
        ),
        (
            ["name: s, account: w, kind: tanma.visits"],
            [
                "m.yaml:4: sources[0].kind: \"tanma.visits\" does not fit its account, which is of vendor weiban, "
                    + "allowed: weiban.outflow"
            ]
        ),
        (
            ["name: s, account: t, kind: tanma.follow_records"],
            [
                "m.yaml:4: sources[0].kind: tanma.follow_records needs the customers of its account, "
                    + "add a source of kind tanma.relations on the same account"
            ]
        ),
        (
            [
                "name: s, account: t, kind: tanma.customer_files",
                "name: r, account: t, kind: tanma.relations",
            ], []
        ),
        (
            ["name: s, account: t, kind: tanma.visits, sweeps: [{every: 7d, span: 90d}]"],
            [
                "m.yaml:1: store.dedup_retention: is shorter than the widest sweep of sources[0] plus its overlap, "
                    + "allowed: 0, or at least 129610m"
            ]
        ),
        (["name: s, account: t, kind: tanma.relations, sweeps: [{every: 7d, span: 900d}]"], []),
        // The kind is wrong: whether it fits its account is not asked.
        (
            ["name: s, account: w, kind: visits"],
            [
                "m.yaml:4: sources[0].kind: \"visits\" is not known here, "
                    + "allowed: tanma.visits, tanma.relations, tanma.follow_records, tanma.customer_files, weiban.outflow"
            ]
        ),
    ]

    @Test(arguments: sourcesFitTheirAccountsAndTheStoreCases)
    func sourcesFitTheirAccountsAndTheStore(list: [String], expected: [String]) {
        let text = Good.relay + Good.accounts + "sources:\n" + list.map { "- {\($0)}\n" }.joined()
        #expect(harness.problems(text) == expected)
    }

    @Test func anAccountThatIsWrongItselfIsNotMissing() {
        let text =
            "relay: {name: a}\naccounts: [{name: 'a b', vendor: weiban, corp_id: c, secret: s}]\n"
            + "sources: [{name: s, account: ab, kind: weiban.outflow}]"
        #expect(
            harness.problems(text) == [
                "m.yaml:2: accounts[0].name: \"a b\" is not a name, allowed: 1 to 64 of letters, digits and -_."
            ])
    }

    static let whatIsProbablyNotMeantIsAWarningCases: [(String, String)] = [
        ("relay: {name: a}", "m.yaml:1: sources: there are none, without one nothing is polled"),
        (
            Good.source("sweeps: [{every: 7d, span: all}]"),
            "m.yaml:1: store.dedup_retention: ends while a sweep of sources[0] reads back to its start, "
                + "unknown rows from before the newest expired key are not stored; 0 keeps every key"
        ),
        (
            Good.source("max_age: 1h"),
            "m.yaml:3: sources[0].max_age: does nothing for tanma.visits, only follow_records and customer_files have it"
        ),
        (
            Good.source("staff_parameter: userId"),
            "m.yaml:3: sources[0].staff_parameter: does nothing for tanma.visits, only customer_files has it"
        ),
        (
            Good.source(
                "page_size: 5}, {name: r, account: t, kind: tanma.relations", kind: "tanma.follow_records"),
            "m.yaml:3: sources[0].page_size: does nothing for tanma.follow_records, one reply holds all of a customer"
        ),
        (
            Good.source(
                "lag: 1s}, {name: r, account: t, kind: tanma.relations", kind: "tanma.customer_files"),
            "m.yaml:3: sources[0].lag: does nothing for tanma.customer_files, only sources read by time windows have it"
        ),
        (
            Good.source("start: 2027-01-01T00:00:00Z"),
            "m.yaml:3: sources[0].start: is in the future, nothing is read before it"
        ),
        (
            Good.source("") + "\nkafka: {brokers: h, topic: 'x.{type}'}",
            "m.yaml:4: kafka.topic: {type} puts the revisions of one row into several topics, where their order is lost, "
                + "{entity} keeps them together"
        ),
        (
            Good.source("") + "\nkafka: {brokers: h, events: [visits.*]}",
            "m.yaml:4: kafka.events[0]: \"visits.*\" matches no event type, known: visit.recorded, visit.updated, "
                + "relation.created, relation.updated, follow_record.created, follow_record.updated, "
                + "follow_record.deleted, customer_file.created, customer_file.updated, customer.outflowed, "
                + "customer.outflow_updated, millrace.subscription.disabled, millrace.subscription.enabled, "
                + "millrace.subscription.failing, millrace.log.expired"
        ),
        (
            Good.source("") + "\nwebhooks: [{name: h, url: 'https://example.com', accounts: [x], "
                + "secret: \(ConfigurationHarness.signingSecret)}]",
            "m.yaml:4: webhooks[0].accounts[0]: \"x\" matches no account, known: t, w"
        ),
        (
            Good.source("")
                + "\nwebhooks: [{name: h, url: 'http://localhost:9/', secret: \(ConfigurationHarness.signingSecret)}]",
            "m.yaml:4: webhooks[0].url: is a loopback address, which is refused, "
                + "http.allow_private_endpoints: true lets it pass"
        ),
    ]

    @Test(arguments: whatIsProbablyNotMeantIsAWarningCases)
    func whatIsProbablyNotMeantIsAWarning(text: String, expected: String) {
        let reading = harness.read(text)
        #expect(reading.problems.isEmpty)
        #expect(reading.warnings.map(\.description) == [expected])
    }
}
