/// One request to another machine. Values only; nothing is shared with the transfer.
package struct OutboundRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case options = "OPTIONS"
    }

    /// What happens to an answer that is longer than `maxResponseBytes`.
    package enum Overflow: Sendable {
        /// The transfer fails with `.tooLarge`: for replies that are read whole.
        case fail
        /// The rest is not read and the connection is closed: for receivers, whose first bytes are enough.
        case cut
    }

    package var method: Method
    /// http or https.
    package var url: String
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    /// For the whole exchange, from name look-up to the last byte.
    package var timeout: Duration
    package var maxResponseBytes: Int
    package var overflow = Overflow.fail
    /// A bundle of certificates to trust instead of the system's.
    package var caFile: String?
    /// The client's own certificate and its key, PEM files.
    package var certificateFile: String?
    package var keyFile: String?
    /// `http://host:port`; nil is none. Proxies of the environment are never used.
    package var proxy: String?
    /// Whether loopback, private, link-local and the like may be connected to. Through a proxy it is the proxy that
    /// resolves and connects, so nothing is refused here.
    package var allowsPrivateAddresses = true
    /// What this request shares with others to the same endpoint. Requests of one route differ in nothing but body and
    /// `headers`, which come after the route's own.
    package var route: OutboundRoute?

    package init(
        _ method: Method, _ url: String, timeout: Duration, maxResponseBytes: Int
    ) {
        (self.method, self.url, self.timeout, self.maxResponseBytes) = (
            method, url, timeout, maxResponseBytes
        )
    }
}

/// A whole answer, whatever its status.
package struct OutboundResponse: Sendable {
    package let status: Int
    package let body: [UInt8]
    private let head: Head

    /// Header lines are read when somebody asks: most answers say all with their status.
    private enum Head: Sendable {
        case raw([UInt8])
        case fields([(name: String, value: String)])
    }

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        (self.status, self.body, head) = (status, body, .fields(headers))
    }

    init(status: Int, rawHead: [UInt8], body: [UInt8]) {
        (self.status, self.body, head) = (status, body, .raw(rawHead))
    }

    /// In the order they came; names lowercase.
    package var headers: [(name: String, value: String)] {
        switch head {
        case .fields(let fields): fields
        case .raw(let bytes): ResponseHead.fields(bytes)
        }
    }

    /// The first header of this lowercase name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// Header lines as they came over the wire.
enum ResponseHead {
    static let maxBytes = 64 << 10

    static func fields(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        bytes.split(separator: UInt8(ascii: "\n")).prefix(200).compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            return (name, String(decoding: trimmed(line[(colon + 1)...]), as: UTF8.self))
        }
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var rest = value.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}

/// Why there is no answer. The cause names hosts and ports, never a URL's query, a header or a body.
package struct OutboundError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case resolve, connect, tls, timeout, tooLarge
        /// Every address of the host is one that must not be connected to.
        case refusedAddress
        /// The other side closed or broke the connection, or does not speak HTTP.
        case broken
        case cancelled
        /// The client was closed.
        case closed
        /// The request itself cannot be sent: a bad URL, a header that HTTP does not allow.
        case unusable
        case other(Int)
    }

    package let kind: Kind
    package let cause: String

    package init(_ kind: Kind, cause: String) {
        (self.kind, self.cause) = (kind, cause)
    }

    package var description: String { cause }
}
