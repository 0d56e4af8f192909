import CCurl

/// Sets one easy handle up for one transfer.
struct EasyOptions {
    let handle: UnsafeMutableRawPointer
    let transfer: Transfer

    func apply() {
        applyRules()
        applyRequest()
        applyCallbacks()
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
    }

    private func applyRequest() {
        let request = transfer.request
        set(CURLOPT_URL, request.url)
        set(CURLOPT_TIMEOUT_MS, max(1, milliseconds(request.timeout)))
        switch request.method {
        case .get:
            set(CURLOPT_HTTPGET, 1)
        case .post:
            set(CURLOPT_POST, 1)
            set(CURLOPT_POSTFIELDSIZE, request.body.count)
            request.body.withUnsafeBytes { bytes in
                // An empty array has no address, and COPYPOSTFIELDS of null would read the body from a callback.
                let address = bytes.baseAddress ?? UnsafeRawPointer(transfer.errorText)
                millrace_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: address))
            }
        case .options:
            set(CURLOPT_CUSTOMREQUEST, "OPTIONS")
        }
        // An empty Expect: libcurl would wait up to a second for a 100 that many servers never send.
        var list = curl_slist_append(nil, "Expect:")
        for header in request.headers {
            // To libcurl `name:` means "leave it out", and `name;` is a header without a value.
            let isBlank = header.value.utf8.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            list = curl_slist_append(list, isBlank ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        transfer.headerList = list
        millrace_curl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
        millrace_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, transfer.errorText)
    }

    /// The loop keeps the transfer alive until the handle was reset, so the callbacks borrow it unretained.
    private func applyCallbacks() {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        millrace_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        millrace_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        millrace_curl_set_data_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return transfer.received(bytes) ? size * count : 0
        }
        millrace_curl_set_data_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            transfer.receivedHeader(String(decoding: bytes, as: UTF8.self))
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
