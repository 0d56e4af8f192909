import CCurl

/// One of libcurl's easy handles, with the memory that its transfers use one after the other.
final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    /// libcurl writes a sentence here.
    let errorText: UnsafeMutablePointer<CChar>
    let headerLines = HeaderLines()
    /// Hears of the sockets that are made for it.
    let sockets: SocketWatch
    /// What it is working on.
    var transfer: Transfer?
    /// Where it stands among those that work.
    var place = 0

    /// Nil when libcurl has no memory for one.
    init?(_ sockets: SocketWatch) {
        guard let raw = curl_easy_init() else { return nil }
        (self.raw, self.sockets) = (raw, sockets)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(raw)
        errorText.deallocate()
    }

    /// What callbacks are given. The loop keeps a handle alive as long as libcurl may call back for it.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func from(_ context: UnsafeMutableRawPointer) -> EasyHandle {
        Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
    }

    /// Whose private pointer this is; see `EasyOptions`.
    static func owning(_ raw: UnsafeMutableRawPointer) -> EasyHandle? {
        var context: UnsafeMutableRawPointer?
        millrace_curl_get_pointer(raw, CURLINFO_PRIVATE, &context)
        return context.map(from)
    }
}
