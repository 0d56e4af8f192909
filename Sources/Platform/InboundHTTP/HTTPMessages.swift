/// One request, complete with its body.
package struct InboundRequest: Sendable {
    package let method: String
    /// Percent-decoded, without the query. Bytes that are no UTF-8 are repaired.
    package let path: String
    /// Path and query as they came over the wire.
    package let rawTarget: String
    /// Percent-decoded, in order; `+` is a space and a name without `=` has an empty value.
    package let query: [(name: String, value: String)]
    package let headers: HTTPHeaders
    package let body: [UInt8]
    /// The peer's address in numbers, without its port; empty when the system does not say.
    package let remoteAddress: String

    package init(
        method: String, target: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        remoteAddress: String = ""
    ) {
        let parsed = RequestTarget(target)
        (self.method, rawTarget, path, query) = (method, target, parsed.path, parsed.query)
        (self.headers, self.body, self.remoteAddress) = (headers, body, remoteAddress)
    }

    /// The first value of a name of the query.
    package func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }
}

/// What is sent back.
///
/// `Date`, `Content-Length` and `Connection` are added; a `Content-Length` of the caller's own, a name or a
/// value that HTTP does not allow, or a status outside 200…599 is answered as 500 instead.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

/// Header fields in the order they came; names are compared without regard to case.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0.0, value: $0.1) }
    }

    /// The first value of a name.
    package subscript(_ name: String) -> String? {
        fields.first { Self.areSame($0.name, name) }?.value
    }

    /// Every value of a name, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { Self.areSame($0.name, name) }.map(\.value)
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append((name: name, value: value))
    }

    /// Header names are ASCII: only its letters have two forms.
    private static func areSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
