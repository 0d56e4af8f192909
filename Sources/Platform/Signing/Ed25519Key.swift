import COpenSSL

/// An ed25519 key pair (RFC 8032) made from its private half.
final class Ed25519Key: @unchecked Sendable {
    // OpenSSL, EVP_PKEY_new(3): a key may be used by several threads at once as long as nobody changes it.
    private let pointer: OpaquePointer
    let publicKey: [UInt8]

    /// Nil when libcrypto does not take the 32 bytes as a key.
    init?(privateKey: [UInt8]) {
        guard privateKey.count == 32,
            let pointer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, privateKey, privateKey.count)
        else { return nil }
        self.pointer = pointer
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        let done = EVP_PKEY_get_raw_public_key(pointer, &bytes, &count)
        publicKey = done == 1 && count == 32 ? bytes : []
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    /// 64 bytes.
    func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        let done =
            EVP_DigestSignInit(context, nil, nil, nil, pointer) == 1
            && EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        precondition(done && count == 64, "libcrypto cannot sign with ed25519")
        return signature
    }
}
