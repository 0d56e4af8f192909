import Signing
import Testing

/// Pins the signatures by the vectors of Standard Webhooks.
@Suite struct WebhookSignerTests {
    struct Vector: Sendable {
        let secret: String
        let id: String
        let timestamp: Int64
        let body: String
        let signature: String

        var bytes: [UInt8] { Array(body.utf8) }
    }

    private static let vectors = [
        Vector(
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330, body: #"{"test": 2432232314}"#,
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        Vector(
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            timestamp: 1_649_367_553, body: #"{"email":"test@example.com","username":"test_user"}"#,
            signature: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
        Vector(
            secret:
                "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: #"{"test": 2432232314}"#,
            signature:
                "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
        ),
    ]

    @Test(arguments: vectors)
    func publishedVectorsAreSignedAndVerified(vector: Vector) throws {
        let signer = try #require(WebhookSigner(secret: vector.secret))
        #expect(
            signer.signature(id: vector.id, timestamp: vector.timestamp, body: vector.bytes)
                == vector.signature)
        #expect(
            signer.verifies(vector.signature, id: vector.id, timestamp: vector.timestamp, body: vector.bytes))
    }

    @Test(arguments: vectors)
    func whatWasChangedIsNotVerified(vector: Vector) throws {
        let signer = try #require(WebhookSigner(secret: vector.secret))
        let (id, time, body) = (vector.id, vector.timestamp, vector.bytes)
        #expect(!signer.verifies(vector.signature, id: id + "x", timestamp: time, body: body))
        #expect(!signer.verifies(vector.signature, id: id, timestamp: time + 1, body: body))
        #expect(!signer.verifies(vector.signature, id: id, timestamp: time, body: body + [0x20]))
        #expect(!signer.verifies(String(vector.signature.dropLast()), id: id, timestamp: time, body: body))
        #expect(!signer.verifies("v2" + vector.signature.dropFirst(2), id: id, timestamp: time, body: body))
        #expect(!signer.verifies("", id: id, timestamp: time, body: body))
        #expect(!signer.verifies("v1,", id: id, timestamp: time, body: body))
    }

    @Test func anyOfSeveralSignaturesIsEnough() throws {
        let (first, second) = (Self.vectors[0], Self.vectors[1])
        let signer = try #require(WebhookSigner(secret: first.secret))
        for header in [
            "\(second.signature) \(first.signature)", "\(first.signature) \(second.signature)",
            "nonsense v1, \(first.signature)",
        ] {
            #expect(signer.verifies(header, id: first.id, timestamp: first.timestamp, body: first.bytes))
        }
        let others = "\(second.signature) \(Self.vectors[2].signature)"
        #expect(!signer.verifies(others, id: first.id, timestamp: first.timestamp, body: first.bytes))
    }

    @Test func bodiesAreSignedByByteEvenWhenTheyAreNoText() throws {
        let signer = try #require(WebhookSigner(secret: Self.vectors[0].secret))
        let (body, other): ([UInt8], [UInt8]) = ([0, 0xFF, 0xC3], [0, 0xFE, 0xC3])
        let signature = signer.signature(id: "a", timestamp: 0, body: body)
        #expect(signer.verifies(signature, id: "a", timestamp: 0, body: body))
        #expect(!signer.verifies(signature, id: "a", timestamp: 0, body: other))
        #expect(signer.signature(id: "a", timestamp: 0, body: []).hasPrefix("v1,"))
    }

    @Test(arguments: [
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false),  // 23 bytes
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true),  // 24 bytes
        ("whsec_" + String(repeating: "AAAA", count: 21) + "AA==", true),  // 64 bytes
        ("whsec_" + String(repeating: "AAAA", count: 21) + "AAA=", false),  // 65 bytes
        ("", false), ("whsec_", false), ("whsk_", false), ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
        ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
        ("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", false),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w", false),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", false),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false), (" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
        ("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", false),  // the private half alone
        // A public half that is not the private one's.
        (
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfUKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            false
        ),
    ])
    func onlySecretsOfTheTwoFormsAreTaken(secret: String, isTaken: Bool) {
        #expect((WebhookSigner(secret: secret) != nil) == isTaken)
    }
}
