import Glibc

/// A client on a plain socket, so that a test decides what is on the wire and sees what comes back.
package struct LoopbackClient: ~Copyable {
    package struct Failure: Error {
        let doing: String
        let number: Int32
    }

    package struct Reply {
        package let status: Int
        package let headers: [String: String]
        package let body: [UInt8]
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    package init(port: Int, isIPv6: Bool = false) throws {
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A reply that never comes fails the test instead of hanging it.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        // What is thrown from here on is cleared up by `deinit`, everything being there by now: closing it here too would
        // close somebody else's descriptor.
        guard Self.connect(descriptor, port, isIPv6) == 0 else {
            throw Failure(doing: "connect", number: errno)
        }
    }

    deinit {
        close(descriptor)
    }

    package func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(doing: "send", number: errno) }
            sent += count
        }
    }

    /// Reads one reply with a `Content-Length`; nil when the connection was closed before it.
    package mutating func reply() throws -> Reply? {
        var end = endOfHead()
        while end == nil {
            guard try receive() else { return nil }
            end = endOfHead()
        }
        let head = String(decoding: buffer[..<(end ?? 0)], as: UTF8.self)
        buffer.removeFirst((end ?? 0) + 4)
        var lines = head.split(separator: "\r\n")
        let status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length {
            guard try receive() else { return nil }
        }
        defer { buffer.removeFirst(length) }
        return Reply(status: status, headers: headers, body: Array(buffer.prefix(length)))
    }

    /// Everything received up to and with `mark`; nil when the connection was closed before it.
    package mutating func text(until mark: String) throws -> String? {
        while true {
            let text = String(decoding: buffer, as: UTF8.self)
            if let range = text.firstRange(of: mark) {
                let read = String(text[..<range.upperBound])
                buffer.removeFirst(read.utf8.count)
                return read
            }
            guard try receive() else { return nil }
        }
    }

    /// Reads at most this much and no more, so that what follows stays in the system's buffers.
    package mutating func bytes(_ count: Int) throws -> Int {
        while buffer.count < count {
            guard try receive() else { break }
        }
        defer { buffer.removeFirst(min(count, buffer.count)) }
        return min(count, buffer.count)
    }

    /// Whether the other side has closed; waits for it.
    package mutating func isClosed() throws -> Bool {
        try !receive()
    }

    private func endOfHead() -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard buffer.count >= mark.count else { return nil }
        return (0...(buffer.count - mark.count)).first { Array(buffer[$0..<$0 + 4]) == mark }
    }

    private mutating func receive() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno != ECONNRESET { throw Failure(doing: "receive", number: errno) }
        buffer += chunk.prefix(max(0, count))
        return count > 0
    }

    private static func connect(_ descriptor: Int32, _ port: Int, _ isIPv6: Bool) -> Int32 {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = UInt16(port).bigEndian
            address.sin6_addr = in6addr_loopback
            return connect(descriptor, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return connect(descriptor, &address)
    }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafeBytes(of: &address) { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return Glibc.connect(
                descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}
