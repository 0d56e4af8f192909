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

    package init(
        _ method: Method, _ url: String, timeout: Duration, maxResponseBytes: Int
    ) {
        (self.method, self.url, self.timeout, self.maxResponseBytes) = (
            method, url, timeout, maxResponseBytes
        )
    }
}

extension OutboundRequest {
    /// Whether every header is one header: libcurl sends names and values as they are, also with line breaks.
    var hasLawfulHeaders: Bool {
        headers.allSatisfy { header in
            !header.name.isEmpty && header.name.utf8.allSatisfy(Self.isTokenByte)
                && header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") }
        }
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// A whole answer, whatever its status.
package struct OutboundResponse: Sendable {
    package let status: Int
    /// In the order they came; names lowercase.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// The first header of this lowercase name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
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
