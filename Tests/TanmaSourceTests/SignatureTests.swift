import Services
import Testing

@testable import TanmaSource

/// The published vectors of Tanma's signature.
struct SignatureTests {
    private func sign(_ body: String) -> String {
        TanmaClient.sign(
            appID: "ww0123456789abcdef_Demo01", timestamp: "1700000000000", body: Array(body.utf8),
            appKey: Secret("demoAppKey"))
    }

    @Test(arguments: [
        (
            #"{"since":"2021-08-06 14:00:00","before":"2021-08-06 17:00:00","size":100}"#,
            "75ef5a2209f976ed900dd65db318f9e4e746022984aa970927ac7fd54cc21b6b"
        ),
        ("", "301220f9345f335caeeeee0895d9449f2778d54bd7c65ed1491b3e38f0a49164"),
    ])
    func aSignatureIsTheHashOfIdTimeBodyAndKey(body: String, signature: String) {
        #expect(sign(body) == signature)
    }

    @Test func everyByteOfTheBodyCounts() {
        #expect(sign(#"{"size":100}"#) != sign(#"{"size": 100}"#))
        #expect(sign("é") != sign("e\u{301}"))
    }
}
