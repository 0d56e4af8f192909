import Configuration
import Testing

/// That no secret leaves by a problem line, a description or a dump, however wrong the file is around it.
@Suite struct SecrecyTests {
    private static let marker = "hunter2"

    /// Every secret key, with a value that is wrong, in a shape that is wrong, beside what is wrong.
    static let problemsAndWarningsHoldNoSecretCases: [String] = [
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key: \"hunter2\\n\"}]",
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key: [hunter2]}]",
        "accounts: [{name: t, vendor: weiban, corp_id: i, app_key: hunter2, secret: \"hunter2\\n\"}]",
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key: k, base_url: 'https://u:hunter2@h'}]",
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key: k, proxy: 'http://u:hunter2@h:1'}]",
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key:hunter2/x}]",
        "store: {url: 'postgres://u:hunter2@h/d'}",
        "kafka: {brokers: h, properties: {sasl.password: [hunter2], acks: hunter2}}",
        "webhooks: [{name: h, url: 'https://h/?t=hunter2#', secret: hunter2}]",
        "webhooks: [{name: h, url: 'https://h', secrets: [hunter2, [hunter2]]}]",
        "webhooks: [{name: h, url: 'https://h', headers: {X-A: \"hunter2\\n\", Host: hunter2}}]",
        "webhooks: [{name: h, url: 'https://h', auth: {bearer: \"hunter2\\n\", password: hunter2}}]",
        "webhooks: [{name: h, url: 'https://h', auth: {username: 'hunter2:', password: \"hunter2\\n\"}}]",
        "webhooks: [{name: h, url: 'https://h', auth: hunter2}]",
        "http: {tokens: [{name: n, token: hunter2, scope: read}]}",
        "http: {tokens: [hunter2, 'token: hunter2']}",
        "privacy: {key: hunter2}",
        "log: {level: '${SECRET}'}",
        "relay: {name: '${SECRET}/'}",
        "log: {level: '${file:/secret}'}",
        "sources: [{name: s, account: '${SECRET}', kind: '${SECRET}', every: '${SECRET}', page_size: '${SECRET}'}]",
        "webhooks: [{name: h, url: 'https://h', events: ['${SECRET}'], accounts: ['${SECRET}'], from: '${SECRET}'}]",
        "accounts: [{name: '${SECRET}', vendor: tanma, app_id: '${SECRET}', app_key: k}]\n"
            + "sources: [{name: s, account: x, kind: tanma.visits}]",
        "accounts: [{name: '${SECRET}', vendor: tanma, app_id: i, app_key: k}]\n"
            + "webhooks: [{name: h, url: 'https://h', accounts: [x], secret: s}]",
        "accounts: [{name: t, vendor: tanma, app_id: i, app_key: k, ca_file: '${SECRET}'}]",
        "webhooks: [{name: h, url: 'https://h', events: ['${UNSET:-}', x, '${SECRET}'], secret: s}]",
        "privacy: {key: '${hunter2'}",
        "privacy: {key: 'a${hunter2-x}b'}",
        "privacy: {key: hunter2\nlog: }",
    ]

    @Test(arguments: problemsAndWarningsHoldNoSecretCases)
    func problemsAndWarningsHoldNoSecret(text: String) {
        let harness = ConfigurationHarness(
            environment: ["SECRET": Self.marker], files: ["/secret": Self.marker])
        let reading = harness.read(text)
        #expect(!reading.problems.isEmpty)
        for line in (reading.problems + reading.warnings).map(\.description) {
            #expect(!line.contains(Self.marker), "\(line)")
        }
    }

    @Test func settingsDescribeAndDumpNoSecret() throws {
        let secret = ConfigurationHarness.signingSecret
        let settings = try ConfigurationHarness().settings(
            """
            relay: {name: a}
            accounts:
            - {name: t, vendor: tanma, app_id: i, app_key: hunter2-app}
            - {name: w, vendor: weiban, corp_id: i, secret: hunter2-secret}
            kafka: {brokers: h, properties: {sasl.password: hunter2-property}}
            webhooks:
            - {name: h, url: 'https://h', secret: \(secret), headers: {X-A: hunter2-header}, auth: {bearer: hunter2-bearer}}
            - {name: i, url: 'https://h', secrets: [\(secret)], auth: {username: u, password: hunter2-password}}
            http: {tokens: [{name: n, token: hunter2-token-0123456789, scope: read}]}
            privacy: {mobile: hash, key: \(ConfigurationHarness.privacyKey)}
            """)
        var dumped = ""
        dump(settings, to: &dumped)
        for text in [String(describing: settings), String(reflecting: settings), dumped] {
            #expect(!text.contains(Self.marker))
            #expect(!text.contains(secret))
            #expect(!text.contains(ConfigurationHarness.privacyKey))
            #expect(text.contains("•••"))
        }
    }
}
