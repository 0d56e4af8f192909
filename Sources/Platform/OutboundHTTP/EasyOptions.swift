import CCurl
import Glibc

/// Sets one easy handle up for one transfer.
struct EasyOptions {
    let handle: UnsafeMutableRawPointer
    let transfer: Transfer

    /// - Parameter isKnown: the handle's last transfer was of the same route.
    func apply(isKnown: Bool) {
        if !isKnown {
            applyRules()
            applyTarget()
            applyCallbacks()
        }
        applyGuard()
        applyContent()
        applyContext()
    }

    /// The same for every transfer: no signals, no redirects, no other protocols, no proxy of the environment.
    private func applyRules() {
        set(CURLOPT_NOSIGNAL, 1)
        // Without it a transfer that times out during name look-up blocks the thread until the resolver returns.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_PROXY, transfer.request.proxy ?? "")
        if let file = transfer.request.caFile { set(CURLOPT_CAINFO, file) }
        if let file = transfer.request.certificateFile { set(CURLOPT_SSLCERT, file) }
        if let file = transfer.request.keyFile { set(CURLOPT_SSLKEY, file) }
    }

    /// The guard sits where the socket is made: whatever the name resolved to this time is what it sees.
    private func applyGuard() {
        guard !transfer.request.allowsPrivateAddresses, transfer.request.proxy == nil else { return }
        millrace_curl_set_pointer(
            handle, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(transfer).toOpaque())
        millrace_curl_set_socket_opener(handle) { context, _, address in
            guard let context, let address else { return CURL_SOCKET_BAD }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if let refusal = SocketAddress.refusal(address) {
                transfer.refusedAddress(refusal)
                return CURL_SOCKET_BAD
            }
            let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
            return socket(address.pointee.family, kind, address.pointee.`protocol`)
        }
    }

    private func applyTarget() {
        let request = transfer.request
        set(CURLOPT_URL, request.url)
        set(CURLOPT_TIMEOUT_MS, max(1, milliseconds(request.timeout)))
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, 1)
        case .post: set(CURLOPT_POST, 1)
        case .options: set(CURLOPT_CUSTOMREQUEST, "OPTIONS")
        }
    }

    private func applyContent() {
        let request = transfer.request
        if request.method == .post {
            set(CURLOPT_POSTFIELDSIZE, request.body.count)
            request.body.withUnsafeBytes { bytes in
                // An empty array has no address, and COPYPOSTFIELDS of null would read the body from a callback.
                let address = bytes.baseAddress ?? UnsafeRawPointer(transfer.errorText)
                millrace_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: address))
            }
        }
        millrace_curl_set_pointer(handle, CURLOPT_HTTPHEADER, transfer.headerLines?.list)
    }

    /// The loop keeps the transfer alive until the handle was let go of, so the callbacks borrow it unretained.
    private func applyContext() {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        millrace_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        millrace_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        millrace_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, transfer.errorText)
    }

    private func applyCallbacks() {
        millrace_curl_set_data_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return transfer.received(bytes) ? size * count : 0
        }
        millrace_curl_set_data_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            transfer.receivedHeader(UnsafeRawBufferPointer(start: data, count: size * count))
            return size * count
        }
    }

    private func set(_ option: CURLoption, _ value: Int) {
        millrace_curl_set_long(handle, option, value)
    }

    private func set(_ option: CURLoption, _ value: String) {
        millrace_curl_set_string(handle, option, value)
    }

    private func milliseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
    }
}

/// What libcurl is about to connect to, as the guard reads it.
private enum SocketAddress {
    static func refusal(_ address: UnsafeMutablePointer<curl_sockaddr>) -> String? {
        guard let generic = millrace_curl_address(address) else { return "unknown" }
        let raw = UnsafeRawPointer(generic)
        switch address.pointee.family {
        case AF_INET:
            return AddressGuard.refusal(ofIPv4: bytes(raw, at: \sockaddr_in.sin_addr, count: 4))
        case AF_INET6:
            return AddressGuard.refusal(ofIPv6: bytes(raw, at: \sockaddr_in6.sin6_addr, count: 16))
        default:
            return "unknown"
        }
    }

    private static func bytes<Root, Field>(
        _ address: UnsafeRawPointer, at field: KeyPath<Root, Field>, count: Int
    ) -> [UInt8] {
        guard let offset = MemoryLayout<Root>.offset(of: field) else { return [] }
        return Array(UnsafeRawBufferPointer(start: address + offset, count: count))
    }
}
