import COpenSSL

/// A key of HMAC-SHA256 (RFC 2104) with both of its pads hashed already: signing takes the message and two copies of a
/// state, where libcrypto's one-shot call looks the algorithm up and hashes the pads every time.
final class HMACKey: @unchecked Sendable {
    // OpenSSL, EVP_DigestInit(3): a context is only read by EVP_MD_CTX_copy_ex, and these two never change.
    private let inner: OpaquePointer
    private let outer: OpaquePointer

    private static let blockBytes = 64

    init(_ key: [UInt8]) {
        var block = key.count > Self.blockBytes ? Digest.sha256(key) : key
        block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)
        inner = Self.begun(with: block.map { $0 ^ 0x36 })
        outer = Self.begun(with: block.map { $0 ^ 0x5C })
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
    }

    /// The code over `head` and `body` as one message: 32 bytes.
    func code(_ head: String, _ body: [UInt8]) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { EVP_MD_CTX_free(context) }
        var head = head
        var digest = [UInt8](repeating: 0, count: 32)
        var isDone = EVP_MD_CTX_copy_ex(context, inner) == 1
        head.withUTF8 { isDone = EVP_DigestUpdate(context, $0.baseAddress, $0.count) == 1 && isDone }
        isDone = EVP_DigestUpdate(context, body, body.count) == 1 && isDone
        isDone = EVP_DigestFinal_ex(context, &digest, nil) == 1 && isDone
        isDone = EVP_MD_CTX_copy_ex(context, outer) == 1 && isDone
        isDone = EVP_DigestUpdate(context, digest, digest.count) == 1 && isDone
        isDone = EVP_DigestFinal_ex(context, &digest, nil) == 1 && isDone
        precondition(isDone, "libcrypto cannot hash")
        return digest
    }

    private static func begun(with pad: [UInt8]) -> OpaquePointer {
        guard let context = EVP_MD_CTX_new(),
            EVP_DigestInit_ex(context, Digest.sha256Algorithm.pointer, nil) == 1,
            EVP_DigestUpdate(context, pad, pad.count) == 1
        else { preconditionFailure("libcrypto offers no SHA-256") }
        return context
    }
}
