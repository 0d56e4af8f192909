import Signing
import Testing

/// Pins the hashes by published vectors: FIPS 180-4 and RFC 4231.
@Suite struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256KeepsThePublishedVectors(text: String, hash: String) {
        #expect(Digest.sha256(Array(text.utf8)).hexadecimal == hash)
    }

    @Test func sha256OfAMillionBytesKeepsThePublishedVector() {
        #expect(
            Digest.sha256([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)).hexadecimal
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ] as [([UInt8], [UInt8], String)])
    func hmacKeepsThePublishedVectors(key: [UInt8], message: [UInt8], code: String) {
        #expect(Digest.hmacSHA256(message, key: key).hexadecimal == code)
    }

    @Test func oneHasherGivesEachMessageItsOwnCode() {
        let key = Array("Jefe".utf8)
        let hasher = MessageHasher(key: key)
        for message in ["what do ya want for nothing?", "", "Hi There", "what do ya want for nothing?"] {
            let bytes = Array(message.utf8)
            #expect(hasher.hash(bytes) == Digest.hmacSHA256(bytes, key: key))
        }
        #expect(
            hasher.hash(Array("what do ya want for nothing?".utf8)).hexadecimal
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func hexadecimalIsLowercaseAndTwoCharactersAByte() {
        #expect(([] as [UInt8]).hexadecimal == "")
        #expect(([0, 0x0F, 0xA0, 0xFF] as [UInt8]).hexadecimal == "000fa0ff")
        #expect(([1, 2, 3] as [UInt8])[1...].hexadecimal == "0203")
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1, 2], [1, 3], false), ([1], [1, 2], false),
            ([1, 2], [1], false),
            ([], [0], false), ([0, 1], [1, 1], false),
        ] as [([UInt8], [UInt8], Bool)])
    func onlyTheSameBytesAreEqual(left: [UInt8], right: [UInt8], areEqual: Bool) {
        #expect(Digest.areEqual(left, right) == areEqual)
    }

    @Test func randomBytesHaveTheirLengthAndDiffer() {
        #expect(secureRandomBytes(0).isEmpty)
        #expect(secureRandomBytes(32).count == 32)
        #expect(secureRandomBytes(32) != secureRandomBytes(32))
    }
}
