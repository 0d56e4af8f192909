import Configuration
import Testing

/// The exact line of every kind of wrong value, one at a time.
@Suite struct ProblemTests {
    private let harness = ConfigurationHarness(files: ["/file": ""])

    static let durations = "a duration above 0, as in 500ms, 10s, 5m, 2h or 7d"

    static let shapesAreCheckedCases: [(String, String)] = [
        ("", "m.yaml:1: relay.name: is missing, allowed: 1 to 64 of a-z, 0-9 and -"),
        ("log: {}", "m.yaml:1: relay.name: is missing, allowed: 1 to 64 of a-z, 0-9 and -"),
        ("\nrelay: {}", "m.yaml:2: relay.name: is missing, allowed: 1 to 64 of a-z, 0-9 and -"),
        (
            "relay: {name: Acme}",
            "m.yaml:1: relay.name: \"Acme\" is not a name, allowed: 1 to 64 of a-z, 0-9 and -"
        ),
        ("relay: acme", "m.yaml:1: relay: a single value instead of a mapping, allowed: key: value pairs"),
        ("relay: [acme]", "m.yaml:1: relay: a list instead of a mapping, allowed: key: value pairs"),
        ("acme", "m.yaml:1: file: a single value instead of a mapping, allowed: key: value pairs"),
        (
            "relay: {name: [a]}",
            "m.yaml:1: relay.name: a list instead of a value, allowed: 1 to 64 of a-z, 0-9 and -"
        ),
        (
            "relay: {name: {a: b}}",
            "m.yaml:1: relay.name: a mapping instead of a value, allowed: 1 to 64 of a-z, 0-9 and -"
        ),
        (
            "relay: {name: a}\naccounts: {}",
            "m.yaml:2: accounts: a mapping instead of a list, allowed: a list of mappings"
        ),
        (
            "relay: {name: a}\naccounts: [~]",
            "m.yaml:2: accounts[0]: nothing instead of a mapping, allowed: key: value pairs"
        ),
        (
            "relay: {name: a}\n---\nlog: {}",
            "m.yaml:2: file: is not valid YAML (a second document begins), allowed: one YAML document"
        ),
        (
            "relay: {name: a\nlog: x",
            "m.yaml:2: file: is not valid YAML (while parsing a flow mapping: did not find expected ',' or '}'), "
                + "allowed: one YAML document"
        ),
    ]

    @Test(arguments: shapesAreCheckedCases)
    func shapesAreChecked(text: String, expected: String) {
        #expect(harness.problems(text) == [expected])
    }

    static let durationsAreCheckedCases: [(String, String)] = [
        ("shutdown: 30", "\"30\" has no unit"), ("shutdown: 0", "\"0\" is too short"),
        ("shutdown: 5 minutes", "\"5 minutes\" is not a duration"),
        ("shutdown: 1h30m", "\"1h30m\" is not a duration"),
        ("shutdown: -5s", "\"-5s\" is not a duration"),
        ("shutdown: 99999999999999d", "\"99999999999999d\" is not a duration"),
        ("shutdown: 1.5h", "\"1.5h\" is not a duration"), ("shutdown: ''", "\"\" is not a duration"),
    ]

    @Test(arguments: durationsAreCheckedCases)
    func durationsAreChecked(fields: String, message: String) {
        #expect(
            harness.problems("relay:\n  name: a\n  \(fields)") == [
                "m.yaml:3: relay.shutdown: \(message), allowed: \(Self.durations)"
            ])
    }

    static let theStoreIsCheckedCases: [(String, String)] = [
        (
            "url: 'postgres://u:p@h/d'",
            "store.url: the value is for server mode, which is not in this version, allowed: sqlite:PATH"
        ),
        ("url: /data", "store.url: the value is not a store, allowed: sqlite:PATH"),
        ("url: 'sqlite::memory:'", "store.url: the value has no path of a file, allowed: sqlite:PATH"),
        ("retention: 100d", "store.dedup_retention: is shorter than retention, allowed: 0, or at least 100d"),
        (
            "dedup_retention: 29d",
            "store.dedup_retention: is shorter than retention, allowed: 0, or at least 30d"
        ),
        ("retention: 0", "store.dedup_retention: ends while retention keeps events for ever, allowed: 0"),
        (
            "retention_hard: 1d",
            "store.retention_hard: is shorter than retention, allowed: 0, or at least 30d"
        ),
        (
            "retention: 0, dedup_retention: 0, retention_hard: 1d",
            "store.retention_hard: 1d cuts what retention keeps for ever, allowed: 0, or a retention that ends"
        ),
    ]

    @Test(arguments: theStoreIsCheckedCases)
    func theStoreIsChecked(fields: String, expected: String) {
        #expect(harness.problems("relay: {name: a}\nstore: {\(fields)}") == ["m.yaml:2: \(expected)"])
    }

    static let accountsAreCheckedCases: [(String, String)] = [
        (
            "name: 'a b', vendor: tanma, app_id: i, app_key: k",
            "name: \"a b\" is not a name, allowed: 1 to 64 of letters, digits and -_."
        ),
        ("name: t, vendor: other", "vendor: \"other\" is not known here, allowed: tanma, weiban"),
        ("name: t, vendor: tanma, app_key: k", "app_id: is missing, allowed: the appId the vendor gave"),
        ("name: t, vendor: tanma, app_id: i", "app_key: is missing, allowed: the appKey the vendor gave"),
        ("name: t, vendor: weiban, secret: s", "corp_id: is missing, allowed: the corp_id the vendor gave"),
        ("name: t, vendor: weiban, corp_id: c", "secret: is missing, allowed: the secret the vendor gave"),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, secret: s",
            "secret: belongs to vendor weiban, a tanma account has app_id and app_key"
        ),
        (
            "name: t, vendor: weiban, corp_id: c, secret: s, app_id: i",
            "app_id: belongs to vendor tanma, a weiban account has corp_id and secret"
        ),
        (
            "name: t, vendor: weiban, corp_id: c, secret: s, requests_per_second: 5.5",
            "requests_per_second: \"5.5\" is out of range, allowed: a number from 0.001 to 5"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, requests_per_second: 0",
            "requests_per_second: \"0\" is out of range, allowed: a number from 0.001 to 1000"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, requests_per_second: inf",
            "requests_per_second: \"inf\" is not a number, allowed: a number from 0.001 to 1000"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, send_app_key_header: yes",
            "send_app_key_header: \"yes\" is neither true nor false, allowed: true or false"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, base_url: 'ftp://h'",
            "base_url: the value is not a URL, allowed: http:// or https:// with a host, without user, query and fragment"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, base_url: 'https://u:p@h'",
            "base_url: the value has a user or a password in it, "
                + "allowed: http:// or https:// with a host, without user, query and fragment"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, ca_file: /none",
            "ca_file: the file \"/none\" cannot be read, allowed: a path to a readable file"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: k, proxy: 'socks5://h:1'",
            "proxy: the value is not a proxy's URL, allowed: http://HOST:PORT"
        ),
        (
            "name: t, vendor: tanma, app_id: i, app_key: \"a\\nb\"",
            "app_key: the value has control characters, allowed: the appKey the vendor gave"
        ),
    ]

    @Test(arguments: accountsAreCheckedCases)
    func accountsAreChecked(fields: String, expected: String) {
        #expect(
            harness.problems("relay: {name: a}\naccounts:\n- {\(fields)}") == [
                "m.yaml:3: accounts[0].\(expected)"
            ])
    }

    static let sourcesAreCheckedCases: [(String, String)] = [
        ("every: 0", "every: \"0\" is too short, allowed: \(durations)"),
        ("page_size: 0", "page_size: \"0\" is out of range, allowed: an integer from 1 to 1000"),
        ("page_size: many", "page_size: \"many\" is not an integer, allowed: an integer from 1 to 1000"),
        (
            "start: 2026-11-01",
            "start: \"2026-11-01\" is not a time, allowed: a time with an offset, as in 2026-11-01T00:00:00+08:00"
        ),
        (
            "start: 2025-11-01T00:00:00",
            "start: \"2025-11-01T00:00:00\" is not a time, allowed: a time with an offset, as in 2026-11-01T00:00:00+08:00"
        ),
        ("lag: 5", "lag: \"5\" has no unit, allowed: a duration, as in 500ms, 10s, 5m, 2h or 7d; 0 = none"),
        ("sweeps: 1h", "sweeps: a single value instead of a list, allowed: a list of {every, span}"),
        ("sweeps: [{every: 1h}]", "sweeps[0].span: is missing, allowed: all, or \(durations)"),
        (
            "sweeps: [{every: 1h, span: every}]",
            "sweeps[0].span: \"every\" is not a duration, allowed: all, or \(durations)"
        ),
    ]

    @Test(arguments: sourcesAreCheckedCases)
    func sourcesAreChecked(fields: String, expected: String) {
        #expect(harness.problems(Good.source(fields)) == ["m.yaml:3: sources[0].\(expected)"])
    }

    @Test func everyProblemIsReportedByLine() {
        let text = """
            relay:
              name: Acme
              shutdown: soon
            log: {level: loud}
            sources:
              - {name: s, account: x, kind: tanma.visits}
            kafka: {}
            """
        #expect(
            harness.problems(text) == [
                "m.yaml:2: relay.name: \"Acme\" is not a name, allowed: 1 to 64 of a-z, 0-9 and -",
                "m.yaml:3: relay.shutdown: \"soon\" is not a duration, allowed: \(Self.durations)",
                "m.yaml:4: log.level: \"loud\" is not known here, allowed: debug, info, warning, error",
                "m.yaml:6: sources[0].account: \"x\" names no account, allowed: the name of one of accounts",
                "m.yaml:7: kafka.brokers: is missing, allowed: HOST:PORT, or several with commas between",
            ])
    }

    @Test func longAndStrangeValuesStayOnOneLine() {
        let long = String(repeating: "x", count: 100)
        #expect(
            harness.problems("relay: {name: \"a\\nb\\e\", shutdown: \(long)}") == [
                "m.yaml:1: relay.name: \"a b \" is not a name, allowed: 1 to 64 of a-z, 0-9 and -",
                "m.yaml:1: relay.shutdown: \"\(long.prefix(57))…\" is not a duration, allowed: \(Self.durations)",
            ])
    }

    @Test func aFileThatIsNotThereIsAProblem() {
        #expect(
            harness.reader.read(path: "/none").problems.map(\.description) == [
                "/none:1: file: it does not exist, allowed: a readable YAML file in UTF-8"
            ])
    }
}
