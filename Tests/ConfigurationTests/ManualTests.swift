import Configuration
import EventModel
import Testing

/// That the manual, `deploy/millrace.yaml`, is itself a configuration, and means the defaults where it says so.
@Suite struct ManualTests {
    private func read() -> ConfigurationReading {
        let environment = [
            "TANMA_APP_KEY": "app-key", "WEIBAN_SECRET": "secret",
            "CRM_SYNC_SECRET": ConfigurationHarness.signingSecret,
            "OPS_TOKEN": "0123456789abcdef", "PRIVACY_KEY": ConfigurationHarness.privacyKey,
        ]
        let process = ConfigurationSurroundings.process(now: Timestamp(seconds: 1_767_225_600))
        let reader = ConfigurationReader(
            surroundings: ConfigurationSurroundings(
                now: process.now, environment: { environment[$0] }, readFile: process.readFile,
                isReadable: process.isReadable))
        return reader.read(path: Repository.path("deploy/millrace.yaml"))
    }

    @Test func theManualIsAConfiguration() {
        let reading = read()
        #expect(reading.problems.map(\.description) == [])
        #expect(reading.warnings.map(\.description) == [])
    }

    @Test func theManualShowsEveryKindOfSource() throws {
        let settings = try #require(read().settings)
        #expect(settings.sources.map(\.kind) == SourceKind.allCases)
        #expect(settings.accounts.map(\.vendor) == Vendor.allCases)
    }

    @Test func theManualsDefaultsAreTheDefaults() throws {
        let settings = try #require(read().settings)
        var webhook = try #require(settings.webhooks.first)
        let unchanged = Settings.Webhook()
        (webhook.name, webhook.url, webhook.secrets, webhook.headers) = ("", "", [], [:])
        (webhook.events, webhook.accounts) = ([], [])
        #expect(webhook == unchanged)
        #expect(settings.store == Settings.Store())
        #expect(settings.log == Settings.Log())
        #expect(settings.relay.shutdown == Settings.Relay().shutdown)
    }
}
