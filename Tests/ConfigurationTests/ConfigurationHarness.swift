import Configuration
import EventModel

/// Reads texts against invented surroundings: nothing of this machine shows.
///
/// Real: everything in the room. Invented: environment, files, the time. Observed: settings, problem lines, warnings.
struct ConfigurationHarness {
    static let signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let privacyKey = String(repeating: "0123456789abcdef", count: 4)

    var environment: [String: String] = [:]
    var files: [String: String] = [:]

    var reader: ConfigurationReader {
        let (environment, files) = (environment, files)
        return ConfigurationReader(
            surroundings: ConfigurationSurroundings(
                now: Timestamp(seconds: 1_767_225_600),
                environment: { environment[$0] },
                readFile: { path in
                    guard let text = files[path] else { throw UnreadableFile(reason: "it does not exist") }
                    return text
                },
                isReadable: { files[$0] != nil }))
    }

    func read(_ text: String) -> ConfigurationReading {
        reader.read(text, file: "m.yaml")
    }

    func problems(_ text: String) -> [String] {
        read(text).problems.map(\.description)
    }

    /// The settings of a text that must be right.
    func settings(_ text: String) throws -> Settings {
        let reading = read(text)
        guard let settings = reading.settings else {
            throw Unexpected(problems: reading.problems.map(\.description))
        }
        return settings
    }

    struct Unexpected: Error, CustomStringConvertible {
        let problems: [String]
        var description: String { problems.joined(separator: "\n") }
    }
}

/// Pieces that are right, for tests to put one wrong thing beside.
enum Good {
    static let relay = "relay: {name: acme}\n"
    static let tanma = "{name: t, vendor: tanma, app_id: i, app_key: k}"
    static let weiban = "{name: w, vendor: weiban, corp_id: c, secret: s}"
    static let accounts = "accounts: [\(tanma), \(weiban)]\n"

    /// A file with one webhook; `fields` begin on line 3.
    static func webhook(_ fields: String) -> String {
        """
        relay: {name: acme}
        webhooks: [{name: hook, url: "https://example.com/h", secret: \(ConfigurationHarness.signingSecret),
        \(fields)}]
        """
    }

    /// A file with one visits source; `fields` are on line 3.
    static func source(_ fields: String, kind: String = "tanma.visits", account: String = "t") -> String {
        """
        relay: {name: acme}
        accounts: [\(tanma), \(weiban)]
        sources: [{name: s, account: \(account), kind: \(kind), \(fields)}]
        """
    }
}
