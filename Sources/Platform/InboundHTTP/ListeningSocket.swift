// The library's header brings the socket types along, and the compiler may take either module for their home.
import CMicroHTTPD
import Glibc

/// A listening TCP socket. Made here and not by the library, because only so the reason of a failure is
/// known.
struct ListeningSocket {
    let descriptor: Int32
    let port: Int
    let isIPv6: Bool

    init(host: String, port: Int) throws(InboundHTTPError) {
        let doing = "listen on \(host.contains(":") ? "[\(host)]" : host):\(port)"
        guard (0...65535).contains(port) else {
            throw InboundHTTPError(.addressUnknown, doing: doing, cause: "a port is a number from 0 to 65535")
        }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let address = found else {
            throw InboundHTTPError(.addressUnknown, doing: doing, cause: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(address) }
        isIPv6 = address.pointee.ai_family == AF_INET6
        descriptor = socket(
            address.pointee.ai_family,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw InboundHTTPError(errorNumber: errno, doing: doing) }
        guard let bound = Self.bindAndListen(descriptor, address.pointee, isChosen: port != 0) else {
            let error = InboundHTTPError(errorNumber: errno, doing: doing)
            Glibc.close(descriptor)
            throw error
        }
        self.port = bound
    }

    /// The port, or nil with `errno` set.
    private static func bindAndListen(_ descriptor: Int32, _ address: addrinfo, isChosen: Bool) -> Int? {
        var yes: Int32 = 1
        // A restarted relay gets its port back at once, though old connections are still in TIME_WAIT. Where any port will do,
        // one that somebody else holds in this way is not wanted.
        if isChosen {
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0, listen(descriptor, SOMAXCONN) == 0
        else {
            return nil
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { return nil }
            guard getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0 else {
                return nil
            }
            // Both families have the port at the same place, in network order.
            return Int(UInt16(bigEndian: base.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}

extension InboundHTTPError {
    init(errorNumber: Int32, doing: String) {
        let kind: Kind =
            switch errorNumber {
            case EADDRINUSE: .addressInUse
            case EACCES, EPERM: .denied
            case EADDRNOTAVAIL, EAFNOSUPPORT: .addressUnknown
            default: .system(errorNumber)
            }
        self.init(kind, doing: doing, cause: String(cString: strerror(errorNumber)))
    }
}

/// A peer's address in numbers; empty when it has none that can be written.
func numericAddress(_ address: UnsafePointer<sockaddr>?) -> String {
    guard let address else { return "" }
    let length =
        Int32(address.pointee.sa_family) == AF_INET6
        ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let code = getnameinfo(
        address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    guard code == 0 else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
