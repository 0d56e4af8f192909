import CCurl

/// The transfer thread: owns the multi handle, drives all transfers, sleeps until a socket or the inbox wakes it.
final class TransferLoop {
    private let inbox: Inbox
    private let multi: OpaquePointer
    private var transfers: [OpaquePointer: Transfer] = [:]
    private var handles: [Int: OpaquePointer] = [:]
    private var idle = IdleHandles()

    /// libcurl wants its global state made once, before any handle.
    private static let isInitialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(inbox: Inbox, idleConnections: Int) {
        precondition(Self.isInitialized, "libcurl cannot be initialised")
        guard let multi = curl_multi_init() else {
            preconditionFailure("libcurl has no memory for a multi handle")
        }
        self.multi = OpaquePointer(multi)
        self.inbox = inbox
        millrace_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnections)
    }

    deinit {
        idle.clean()
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    func run() {
        let wakeable = Wakeable(multi: multi)
        inbox.attach { curl_multi_wakeup(UnsafeMutableRawPointer(wakeable.multi)) }
        defer { inbox.detach() }
        while true {
            let work = inbox.take()
            work.added.forEach(start)
            for ticket in work.cancelled { cancel(ticket) }
            if work.isClosed { break }
            var running: Int32 = 0
            curl_multi_perform(raw, &running)
            collect()
            // An hour: libcurl returns earlier for its own timers, and the inbox wakes it.
            if inbox.maySleep() { curl_multi_poll(raw, nil, 0, 3_600_000, nil) }
        }
        for handle in Array(transfers.keys) { end(handle, .failure(.closed)) }
    }

    private var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(multi) }

    private func start(_ transfer: Transfer) {
        guard let lines = transfer.request.headerLines else {
            return transfer.finish(
                .failure(OutboundError(.unusable, cause: "a header is not allowed in HTTP")))
        }
        transfer.headerLines = lines
        let known = idle.take(route: transfer.request.route?.number)
        guard let handle = known?.handle ?? curl_easy_init().map(OpaquePointer.init) else {
            return transfer.finish(
                .failure(OutboundError(.unusable, cause: "libcurl has no memory for a handle")))
        }
        EasyOptions(handle: UnsafeMutableRawPointer(handle), transfer: transfer).apply(
            isKnown: known?.isKnown ?? false)
        transfers[handle] = transfer
        handles[transfer.ticket] = handle
        let code = curl_multi_add_handle(raw, UnsafeMutableRawPointer(handle))
        if code != CURLM_OK {
            end(handle, .failure(OutboundError(.unusable, cause: String(cString: curl_multi_strerror(code)))))
        }
    }

    private func cancel(_ ticket: Int) {
        if let handle = handles[ticket] { end(handle, .failure(.cancelled)) }
    }

    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(raw, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let code = message.pointee.data.result
            var status = 0
            millrace_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            let handle = OpaquePointer(easy)
            if let transfer = transfers[handle] { end(handle, transfer.result(code, status: status)) }
        }
    }

    /// The handle leaves the multi handle before the transfer its callbacks point to is let go.
    private func end(_ handle: OpaquePointer, _ result: TransferResult) {
        curl_multi_remove_handle(raw, UnsafeMutableRawPointer(handle))
        if let transfer = transfers.removeValue(forKey: handle) {
            handles.removeValue(forKey: transfer.ticket)
            idle.put(handle, route: transfer.request.route?.number)
            transfer.finish(result)
        } else {
            curl_easy_cleanup(UnsafeMutableRawPointer(handle))
        }
    }

    /// The multi handle as other threads may see it.
    private struct Wakeable: @unchecked Sendable {
        // curl_multi_wakeup(3): the one call that may be made from any thread.
        let multi: OpaquePointer
    }
}
