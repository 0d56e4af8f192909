import COpenSSL

/// Hashes and message authentication codes over OpenSSL's libcrypto.
///
/// One-shot calls without state, safe from any thread. They fail only when libcrypto itself cannot work (out of memory,
/// an algorithm compiled out): then there is no safe way on, and they trap with a sentence.
package enum Digest {
    /// SHA-256: 32 bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        let done = EVP_Digest(bytes, bytes.count, &result, nil, sha256Algorithm.pointer, nil)
        precondition(done == 1, "libcrypto offers no SHA-256")
        return result
    }

    /// HMAC-SHA256 (RFC 2104): 32 bytes. For many messages under one key see `MessageHasher`.
    package static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        MessageHasher(key: key).hash(bytes)
    }

    /// Compares in a time that depends on the lengths alone.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// Fetched once: an implicit fetch on every call costs more than the hash of a row.
    static let sha256Algorithm = Algorithm(name: "SHA256")
}

/// One algorithm of libcrypto, fetched for the life of the process.
struct Algorithm: @unchecked Sendable {
    // OpenSSL, EVP_MD_fetch(3): a fetched EVP_MD is reference counted and immutable, and may be shared by threads.
    let pointer: OpaquePointer

    init(name: String) {
        guard let algorithm = EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto offers no \(name)")
        }
        pointer = algorithm
    }
}

extension Collection<UInt8> {
    /// Lowercase hexadecimal, two characters a byte.
    package var hexadecimal: String {
        withContiguousStorageIfAvailable(hexadecimalText)
            ?? Array(self).withUnsafeBufferPointer(hexadecimalText)
    }
}

private func hexadecimalText(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { text in
        for (place, byte) in bytes.enumerated() {
            text[2 * place] = hexadecimalDigit(byte >> 4)
            text[2 * place + 1] = hexadecimalDigit(byte & 15)
        }
        return bytes.count * 2
    }
}

private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// Base64 (RFC 4648, section 4) behind a prefix, in one allocation.
func base64(_ bytes: [UInt8], after prefix: StaticString) -> String {
    let count = prefix.utf8CodeUnitCount
    // EVP_EncodeBlock ends its text with a zero.
    return String(unsafeUninitializedCapacity: count + (bytes.count + 2) / 3 * 4 + 1) { text in
        guard let start = text.baseAddress else { return 0 }
        start.update(from: prefix.utf8Start, count: count)
        return count + Int(EVP_EncodeBlock(start + count, bytes, Int32(bytes.count)))
    }
}

/// Random bytes from libcrypto's generator, for secrets and ids of stores.
package func secureRandomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    precondition(RAND_bytes(&bytes, Int32(count)) == 1, "libcrypto has no randomness")
    return bytes
}
