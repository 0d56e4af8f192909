import CCurl

/// The transfer thread: owns the multi handle, drives all transfers, sleeps until a socket, a timer or the inbox wakes it.
///
/// Only the transfers whose sockets are ready are looked at (curl_multi_socket_action(3)): among thousands under way a
/// loop over all of them would cost more than the deliveries.
final class TransferLoop {
    private let inbox: Inbox
    private let multi: OpaquePointer
    /// The handles with a transfer under way, in no order.
    private var busy: [EasyHandle] = []
    private var idle = IdleHandles()
    private let sockets = SocketWatch()

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
        // Borrowed: it lives as long as the multi handle.
        let context = Unmanaged.passUnretained(sockets).toOpaque()
        millrace_curl_multi_set_socket_callback(
            multi,
            { _, descriptor, what, context, _ in
                guard let context else { return -1 }
                Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().wants(descriptor, what)
                return 0
            }, context)
    }

    deinit {
        idle.clean()
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    func run() {
        let bell = sockets.bell
        inbox.attach { bell.ring() }
        defer { inbox.detach() }
        while true {
            let work = inbox.take()
            work.added.forEach(start)
            for ticket in work.cancelled { cancel(ticket) }
            if work.isClosed { break }
            // What was just added is due at once.
            if timeout == 0 { act(CURL_SOCKET_TIMEOUT, 0) }
            collect()
            sockets.wait(inbox.maySleep() ? timeout : 0) { act($0, $1) }
            collect()
        }
        while let handle = busy.last { end(handle, .failure(.closed)) }
    }

    /// Until libcurl's next timer, in milliseconds; an hour where there is none.
    private var timeout: Int {
        var milliseconds = -1
        curl_multi_timeout(raw, &milliseconds)
        return milliseconds < 0 ? 3_600_000 : milliseconds
    }

    private func act(_ descriptor: Int32, _ selected: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(raw, descriptor, selected, &running)
    }

    private var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(multi) }

    private func start(_ transfer: Transfer) {
        let known = idle.take(route: transfer.request.route?.number)
        guard let handle = known?.handle ?? EasyHandle(sockets) else {
            return transfer.finish(
                .failure(OutboundError(.unusable, cause: "libcurl has no memory for a handle")))
        }
        guard let options = EasyOptions(handle, transfer.request) else {
            return transfer.finish(
                .failure(OutboundError(.unusable, cause: "a header is not allowed in HTTP")))
        }
        options.apply(isKnown: known?.isKnown ?? false)
        (handle.transfer, handle.place) = (transfer, busy.count)
        busy.append(handle)
        let code = curl_multi_add_handle(raw, handle.raw)
        if code != CURLM_OK {
            end(handle, .failure(OutboundError(.unusable, cause: String(cString: curl_multi_strerror(code)))))
        }
    }

    private func cancel(_ ticket: Int) {
        if let handle = busy.first(where: { $0.transfer?.ticket == ticket }) {
            end(handle, .failure(.cancelled))
        }
    }

    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(raw, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let handle = EasyHandle.owning(easy), let transfer = handle.transfer
            else { continue }
            let code = message.pointee.data.result
            var status = 0
            millrace_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            end(handle, transfer.result(code, status: status, detail: handle.errorText))
        }
    }

    /// The handle leaves the multi handle before the transfer its callbacks point to is let go.
    private func end(_ handle: EasyHandle, _ result: TransferResult) {
        curl_multi_remove_handle(raw, handle.raw)
        busy.swapAt(handle.place, busy.count - 1)
        busy[handle.place].place = handle.place
        busy.removeLast()
        let transfer = handle.transfer
        handle.transfer = nil
        idle.put(handle, route: transfer?.request.route?.number)
        transfer?.finish(result)
    }
}
