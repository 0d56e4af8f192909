import CCurl
import Glibc

/// Sets one easy handle up for one transfer.
struct EasyOptions {
    private let easy: EasyHandle
    private let handle: UnsafeMutableRawPointer
    private let request: OutboundRequest
    private let lines: UnsafeMutablePointer<curl_slist>

    /// Nil when a header is not allowed in HTTP.
    init?(_ easy: EasyHandle, _ request: OutboundRequest) {
        guard let lines = easy.headerLines.list(request) else { return nil }
        (self.easy, handle, self.request, self.lines) = (easy, easy.raw, request, lines)
    }

    /// - Parameter isKnown: the handle's last transfer was of the same route.
    func apply(isKnown: Bool) {
        if !isKnown {
            applyRules()
            applyTarget()
            applyCallbacks()
            applySockets()
        }
        applyContent()
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
        set(CURLOPT_PROXY, request.proxy ?? "")
        if let file = request.caFile { set(CURLOPT_CAINFO, file) }
        if let file = request.certificateFile { set(CURLOPT_SSLCERT, file) }
        if let file = request.keyFile { set(CURLOPT_SSLKEY, file) }
    }

    /// The guard sits where the socket is made: whatever the name resolved to this time is what it sees.
    private func applySockets() {
        millrace_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, easy.context)
        millrace_curl_set_socket_opener(handle) { context, _, address in
            guard let context, let address else { return CURL_SOCKET_BAD }
            let easy = EasyHandle.from(context)
            guard let transfer = easy.transfer else { return CURL_SOCKET_BAD }
            if transfer.isGuarded, let refusal = SocketAddress.refusal(address) {
                transfer.refusedAddress(refusal)
                return CURL_SOCKET_BAD
            }
            let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.pointee.family, kind, address.pointee.`protocol`)
            if descriptor >= 0 { easy.sockets.opened(descriptor) }
            return descriptor
        }
        // A connection outlives the transfer that made it, so its end is told to the loop's own.
        millrace_curl_set_pointer(
            handle, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(easy.sockets).toOpaque())
        millrace_curl_set_socket_closer(handle) { context, descriptor in
            guard let context else { return close(descriptor) }
            return Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().closes(descriptor)
        }
    }

    private func applyTarget() {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_TIMEOUT_MS, max(1, milliseconds(request.timeout)))
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, 1)
        case .post: set(CURLOPT_POST, 1)
        case .options: set(CURLOPT_CUSTOMREQUEST, "OPTIONS")
        }
    }

    private func applyContent() {
        if request.method == .post {
            set(CURLOPT_POSTFIELDSIZE, request.body.count)
            request.body.withUnsafeBytes { bytes in
                // An empty array has no address, and COPYPOSTFIELDS of null would read the body from a callback.
                let address = bytes.baseAddress ?? UnsafeRawPointer(easy.errorText)
                millrace_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: address))
            }
        }
        millrace_curl_set_pointer(handle, CURLOPT_HTTPHEADER, lines)
    }

    private func applyCallbacks() {
        let context = easy.context
        millrace_curl_set_pointer(handle, CURLOPT_PRIVATE, context)
        millrace_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        millrace_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        millrace_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, easy.errorText)
        millrace_curl_set_data_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data, let context, let transfer = EasyHandle.from(context).transfer else { return 0 }
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return transfer.received(bytes) ? size * count : 0
        }
        millrace_curl_set_data_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data, let context, let transfer = EasyHandle.from(context).transfer else { return 0 }
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
