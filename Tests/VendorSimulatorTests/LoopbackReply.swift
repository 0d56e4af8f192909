import Glibc

/// What comes back for one request on a plain socket of this machine, read to the end of the connection.
struct LoopbackReply {
    /// The connection was refused, or closed without an answer.
    struct NoReply: Error {}

    let status: Int
    let body: [UInt8]
    private let headers: [String: String]

    var text: String { String(decoding: body, as: UTF8.self) }

    init(to request: String, port: Int) throws {
        let reply = try Self.exchange(Array(request.utf8), port: port)
        let mark = Array("\r\n\r\n".utf8)
        let end = reply.indices.first { reply[$0...].starts(with: mark) }
        guard let end else { throw NoReply() }
        body = Array(reply[(end + mark.count)...])
        let lines = String(decoding: reply[..<end], as: UTF8.self).split(separator: "\r\n")
        status = Int(lines[0].split(separator: " ")[1]) ?? 0
        headers = lines.dropFirst().reduce(into: [:]) { headers, line in
            let sides = line.split(separator: ":", maxSplits: 1)
            headers[sides[0].lowercased()] = String(sides[1].drop { $0 == " " })
        }
    }

    func header(_ name: String) -> String? {
        headers[name.lowercased()]
    }

    private static func exchange(_ request: [UInt8], port: Int) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        // A reply that never comes fails the test instead of hanging it.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                connect(descriptor, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // A request of a test fits into the socket's buffer at once.
        guard connected == 0, send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else {
            throw NoReply()
        }
        var reply: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return reply }
            reply += chunk.prefix(count)
        }
    }
}
