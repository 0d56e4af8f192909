import COpenSSL

/// HMAC-SHA256 (RFC 2104) of one message after the other under one key, which is taken in once.
///
/// Belongs to whoever made it: libcrypto's context is not shared. Fails like `Digest`.
package struct MessageHasher: ~Copyable {
    private let context: OpaquePointer

    package init(key: [UInt8]) {
        guard let context = EVP_MAC_CTX_new(Self.algorithm.pointer) else {
            preconditionFailure("libcrypto has no memory for a message authentication code")
        }
        self.context = context
        let done = Self.withDigestName { EVP_MAC_init(context, key.isEmpty ? [0] : key, key.count, $0) }
        precondition(done == 1, "libcrypto offers no HMAC-SHA256")
    }

    deinit {
        EVP_MAC_CTX_free(context)
    }

    /// 32 bytes.
    package func hash(_ bytes: [UInt8]) -> [UInt8] {
        var length = 0
        return [UInt8](unsafeUninitializedCapacity: 32) { result, count in
            // EVP_MAC_init(3): without a key the one given before is used again.
            let done =
                EVP_MAC_init(context, nil, 0, nil) == 1
                && EVP_MAC_update(context, bytes, bytes.count) == 1
                && EVP_MAC_final(context, result.baseAddress, &length, result.count) == 1
            precondition(done && length == 32, "libcrypto offers no HMAC-SHA256")
            count = 32
        }
    }

    /// OSSL_PARAM_construct_utf8_string(3): the parameters point at both texts, which have to live as long.
    private static func withDigestName<T>(_ body: (UnsafePointer<OSSL_PARAM>) -> T) -> T {
        var name = Array("SHA256".utf8CString)
        return name.withUnsafeMutableBufferPointer { name in
            "digest".withCString { key in
                body([
                    OSSL_PARAM_construct_utf8_string(key, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                ])
            }
        }
    }

    private static let algorithm = Algorithm()

    private struct Algorithm: @unchecked Sendable {
        // OpenSSL, EVP_MAC_fetch(3): a fetched EVP_MAC is reference counted and immutable, and may be shared by threads.
        let pointer: OpaquePointer

        init() {
            guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else {
                preconditionFailure("libcrypto offers no HMAC")
            }
            pointer = algorithm
        }
    }
}
