import EventModel
import Testing

/// A row that cannot be read goes to quarantine; its page does not.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct BadRowTests {
    private static func row(_ name: String, minute: Int, nickname: String? = nil, count: String = "1")
        -> ScriptedVendor.Row
    {
        let time = "2026-03-02 10:\(String(100 + minute).dropFirst()):00"
        let json = """
            {"unionid":"\(name)","customerId":null,"nickname":"\(nickname ?? name)","avatar":null,"mobile":null,\
            "contentType":"1","contentId":"c1","contentTitle":"title","visitTime":"\(time)","viewDuration":null,\
            "viewTimes":\(count),"qwUserId":null,"createTime":"\(time)","shareFrom":null,"shareChainSteps":null,\
            "shareTo":[]}
            """
        return ScriptedVendor.Row(time: time, json: json)
    }

    private static let rows = [
        row("first", minute: 0),
        row("surrogate", minute: 1, nickname: #"broken \ud83d name"#),
        row("second", minute: 2, nickname: #"whole \ud83d\udc36 name"#),
        row("control", minute: 3, nickname: "a\u{1}b"),
        row("newline", minute: 4, nickname: "a\nb"),
        row("digits", minute: 5, count: "123456789012345678901234567890"),
        ScriptedVendor.Row(time: "2026-03-02 10:06:00", json: #""not a row at all""#),
        row("third", minute: 7),
    ]
    private static let sound = ["first", "second", "third"]

    @Test func aBadRowIsInQuarantineAndItsPageIsNot() async throws {
        let vendor = try ScriptedVendor(Self.rows)
        let kafka = try KafkaEnd()
        let receiver = try VerifyingReceiver()
        var configuration = RelayConfiguration(
            accounts: [.init(baseURL: vendor.baseURL)], webhooks: [.init(url: receiver.url)])
        configuration.kafkaBrokers = kafka.brokers
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("the sound rows are at both ends") {
            kafka.byID.count == Self.sound.count && receiver.accepted.count == Self.sound.count
        }
        try await eventually("the bad rows are counted") {
            try await relay.status().store.quarantined == Self.rows.count - Self.sound.count
        }
        #expect(try await Relay.stop(process) == .exited(0))
        let events = try await relay.events()
        #expect(events.map(\.subject) == Self.sound.map { "unionid/" + $0 })
        #expect(events.compactMap(\.offset) == [1, 2, 3])
        let source = try #require(try await relay.status().sources.first)
        #expect(source.rejected == Self.rows.count - Self.sound.count)
        #expect(
            source.rows == source.stored + source.updated + source.duplicate + source.rejected + source.tooOld
        )
        #expect(source.stored == Self.sound.count)
        // What a row holds is in no log line.
        #expect(!process.errors.text.contains("broken") && !process.errors.text.contains("1234567890"))
        #expect(process.errors.text.contains("rows went to quarantine"))
    }
}
