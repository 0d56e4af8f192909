import Configuration
import Testing

/// The exact line of every kind of wrong value in a webhook.
@Suite struct WebhookProblemTests {
    private let harness = ConfigurationHarness(files: ["/file": ""])

    static let secrets = "allowed: whsec_ and base64 of 24 to 64 bytes, or whsk_ and base64 of 64 bytes"

    static let optionalFieldsAreCheckedCases: [(String, String)] = [
        ("timeout: 0", "timeout: \"0\" is too short, allowed: \(ProblemTests.durations)"),
        ("concurrency: 1025", "concurrency: \"1025\" is out of range, allowed: an integer from 1 to 1024"),
        ("rate: 0", "rate: \"0\" is out of range, allowed: a number above 0, at most 100000"),
        ("batch: 1001", "batch: \"1001\" is out of range, allowed: an integer from 1 to 1000"),
        ("batch: 2, mode: data", "batch: needs mode structured, allowed: 1, or mode structured"),
        ("mode: raw", "mode: \"raw\" is not known here, allowed: structured, binary, data"),
        ("order: time", "order: \"time\" is not known here, allowed: none, key"),
        ("compress: zstd", "compress: \"zstd\" is not known here, allowed: none, gzip"),
        (
            "accounts: []",
            "accounts: the list is empty, allowed: at least one of *, a prefix as in visit.*, or an exact name"
        ),
        ("secrets: [x]", "secrets[0]: the value is not a signing secret, \(secrets)"),
        ("retry: {jitter: 1.5}", "retry.jitter: \"1.5\" is out of range, allowed: a number from 0 to 1"),
        (
            "retry: {schedule: [1s, 0]}",
            "retry.schedule[1]: \"0\" is too short, allowed: \(ProblemTests.durations)"
        ),
        (
            "retry: {schedule: [1s], factor: 2}",
            "retry.factor: stands beside schedule, either schedule or initial, factor, max, give_up_after"
        ),
        ("retry: {factor: 0.5}", "retry.factor: \"0.5\" is out of range, allowed: a number from 1 to 100"),
        ("retry: {initial: 1m, max: 1s}", "retry.max: is shorter than initial, allowed: at least 1m"),
        (
            "retry: {initial: 1m, give_up_after: 1s}",
            "retry.give_up_after: is shorter than initial, allowed: at least 1m"
        ),
        (
            "headers: {content-Type: x}",
            "headers.content-Type: belongs to the relay, allowed: any other header"
        ),
        ("headers: {a.b: x}", "headers.a.b: is not a header's name, allowed: letters, digits, - and _"),
        (
            "headers: {X-A: 1, x-a: 2}",
            "headers.x-a: is there in another spelling, allowed: every header once"
        ),
        (
            "headers: {X-A: \"a\\r\\nb\"}",
            "headers.X-A: the value has control characters, allowed: a header's value of one line"
        ),
        ("tls: {certificate: /file}", "tls.key: is missing, certificate and key go together"),
        ("tls: {ca: /none}", "tls.ca: the file \"/none\" cannot be read, allowed: a path to a readable file"),
        ("auth: {}", "auth: is empty, either bearer, or username and password"),
        ("auth: {username: u}", "auth.password: is missing, allowed: a password"),
        (
            "auth: {username: 'u:v', password: p}",
            "auth.username: has a colon, allowed: a text without a colon"
        ),
        (
            "auth: {bearer: b, password: p}",
            "auth.password: stands beside bearer, either bearer, or username and password"
        ),
        (
            "auth: {bearer: b}, headers: {Authorization: x}",
            "auth: stands beside an authorization header, either auth or headers.authorization"
        ),
        (
            "proxy: 'http://u:p@h:1'",
            "proxy: the value has a user or a password in it, allowed: http://HOST:PORT"
        ),
        ("proxy: 'http://h:1/path'", "proxy: the value has a path, allowed: http://HOST:PORT"),
        ("handshake: maybe", "handshake: \"maybe\" is neither true nor false, allowed: true or false"),
    ]

    @Test(arguments: optionalFieldsAreCheckedCases)
    func optionalFieldsAreChecked(fields: String, expected: String) {
        let problems = harness.problems(Good.webhook(fields))
            // The harness's own secret stands beside the list under test.
            .filter { !$0.contains("stands beside secrets") }
        #expect(problems == ["m.yaml:3: webhooks[0].\(expected)"])
    }

    static let signingSecretsHaveTwoFormsCases: [String] = [
        "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ]

    @Test(arguments: signingSecretsHaveTwoFormsCases)
    func signingSecretsHaveTwoForms(secret: String) {
        #expect(
            harness.problems("relay: {name: a}\nwebhooks: [{name: h, url: 'http://h', secret: \(secret)}]")
                == [
                    "m.yaml:2: webhooks[0].secret: the value is not a signing secret, \(Self.secrets)"
                ])
    }

    @Test func aSecretIsRequiredOnce() {
        #expect(
            harness.problems("relay: {name: a}\nwebhooks: [{name: h, url: 'http://h'}]") == [
                "m.yaml:2: webhooks[0].secret: is missing, \(Self.secrets)"
            ])
        #expect(
            harness.problems(Good.webhook("secrets: [\(ConfigurationHarness.signingSecret)]")) == [
                "m.yaml:2: webhooks[0].secret: stands beside secrets, either secret or secrets"
            ])
        #expect(
            harness.problems("relay: {name: a}\nwebhooks: [{name: h, url: 'http://h', secrets: []}]") == [
                "m.yaml:2: webhooks[0].secrets: the list is empty, allowed: at least one of \(Self.secrets.dropFirst(9))"
            ])
    }

    static let addressesAreCheckedCases: [(String, String)] = [
        ("example.com/hook", "is not a URL"), ("'ftp://example.com'", "is not a URL"),
        ("'http://'", "is not a URL"),
        ("'http://exa mple.com'", "is not a URL"),
        ("'https://u@example.com'", "has a user or a password in it"),
        ("'https://example.com/#x'", "has a fragment"), ("'https://example.com:99999/'", "is not a URL"),
    ]

    @Test(arguments: addressesAreCheckedCases)
    func addressesAreChecked(url: String, message: String) {
        let secret = ConfigurationHarness.signingSecret
        #expect(
            harness.problems("relay: {name: a}\nwebhooks: [{name: h, secret: \(secret), url: \(url)}]") == [
                "m.yaml:2: webhooks[0].url: the value \(message), "
                    + "allowed: http:// or https:// with a host, without user and fragment"
            ])
    }
}
