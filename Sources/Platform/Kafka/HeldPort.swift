import Foundation

/// A port of the loopback address that nobody listens at and nobody else gets.
///
/// A broker that was taken down binds the port it had when it comes back, and the mock ends the process where it cannot. Left alone,
/// the port would be given to any outgoing connection. Bound with SO_REUSEADDR, as the mock's own socket is, it can be bound a
/// second time and is given to no outgoing connection (ip(7), socket(7)). One that was given away in the moment between is waited for: connections
/// of this machine end.
final class HeldPort: Sendable {
    private let socket: Int32
    private let port: UInt16

    private static let attempts = 6000
    private static let pauseMicroseconds: UInt32 = 20_000

    /// Blocks while somebody else has the port, at most two minutes.
    init(_ port: UInt16) {
        (self.port, socket) = (port, Self.reusable())
        for _ in 0..<Self.attempts where !Self.isBound(socket, port) { usleep(Self.pauseMicroseconds) }
    }

    /// Returns once somebody may listen there, after at most two minutes: a server that asks for any port may have got this
    /// one, because both sides allow its reuse.
    func waitUntilFree() {
        for _ in 0..<Self.attempts {
            let probe = Self.reusable()
            defer { close(probe) }
            if Self.isBound(probe, port), listen(probe, 1) == 0 { return }
            usleep(Self.pauseMicroseconds)
        }
    }

    private static func reusable() -> Int32 {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var reuse: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    private static func isBound(_ socket: Int32, _ port: UInt16) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                // EINVAL: it is bound since the attempt before.
                bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    || errno == EINVAL
            }
        }
    }

    deinit {
        close(socket)
    }
}
