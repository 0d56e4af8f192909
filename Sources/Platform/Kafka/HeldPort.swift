import Foundation

/// A port of the loopback address that nobody listens at and nobody else gets.
///
/// A broker that was taken down binds the port it had when it comes back, and the mock ends the process where it cannot. Left alone,
/// the port would be given to any outgoing connection. Bound with SO_REUSEADDR, as the mock's own socket is, it can be bound a
/// second time and is given to none (ip(7), socket(7)).
final class HeldPort: Sendable {
    private let socket: Int32

    /// Holds nothing where the port is taken already.
    init(_ port: UInt16) {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var reuse: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        _ = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit {
        close(socket)
    }
}
