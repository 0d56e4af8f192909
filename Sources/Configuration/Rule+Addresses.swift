import Foundation

/// Addresses are never echoed: their user part and their query are places where secrets end up.
extension Rule where Output == String {
    /// An http or https URL without credentials; slashes at its end are cut off, since paths are appended to it.
    static var baseURL: Rule {
        Rule("http:// or https:// with a host, without user, query and fragment", isSecret: true) { text in
            guard let parts = webAddress(text, schemes: ["http", "https"]) else {
                return .refused("is not a URL")
            }
            if let refusal = credentials(parts) { return .refused(refusal) }
            guard parts.query == nil else { return .refused("has a query") }
            return .accepted(String(text.reversed().drop { $0 == "/" }.reversed()))
        }
    }

    /// Where a webhook posts to; a query is part of it.
    static var endpoint: Rule {
        Rule("http:// or https:// with a host, without user and fragment", isSecret: true) { text in
            guard let parts = webAddress(text, schemes: ["http", "https"]) else {
                return .refused("is not a URL")
            }
            if let refusal = credentials(parts) { return .refused(refusal) }
            return .accepted(text)
        }
    }

    static var proxy: Rule {
        Rule("http://HOST:PORT", isSecret: true) { text in
            guard let parts = webAddress(text, schemes: ["http"]) else {
                return .refused("is not a proxy's URL")
            }
            if let refusal = credentials(parts) { return .refused(refusal) }
            guard parts.query == nil, ["", "/"].contains(parts.path) else { return .refused("has a path") }
            return .accepted(text)
        }
    }

    /// `HOST:PORT`, several with commas between; the port may be left out.
    static var brokers: Rule {
        Rule("HOST:PORT, or several with commas between") { text in
            let brokers = text.split(separator: ",", omittingEmptySubsequences: false)
            let isGood = brokers.allSatisfy { broker in
                let broker = broker.trimmingCharacters(in: .whitespaces)
                return HostAndPort(broker) != nil || HostAndPort("\(broker):9092") != nil
            }
            return isGood ? .accepted(text) : .refused("is not a list of brokers")
        }
    }

    /// `sqlite:PATH`, given back as the path alone.
    static var store: Rule {
        Rule("sqlite:PATH", isSecret: true) { text in
            if text.hasPrefix("postgres:") || text.hasPrefix("postgresql:") {
                return .refused("is for server mode, which is not in this version")
            }
            guard text.hasPrefix("sqlite:"), lineRefusal(text) == nil else {
                return .refused("is not a store")
            }
            let path = String(text.dropFirst("sqlite:".count))
            // An in-memory database would lose what was acknowledged.
            guard !path.isEmpty, path != ":memory:", !path.hasSuffix("/") else {
                return .refused("has no path of a file")
            }
            return .accepted(path)
        }
    }

    private static func webAddress(_ text: String, schemes: [String]) -> URLComponents? {
        guard let parts = URLComponents(string: text, encodingInvalidCharacters: false),
            let scheme = parts.scheme?.lowercased(), schemes.contains(scheme),
            let host = parts.host, !host.isEmpty, (1...65_535).contains(parts.port ?? 1)
        else { return nil }
        return parts
    }

    private static func credentials(_ parts: URLComponents) -> String? {
        if parts.user != nil || parts.password != nil { return "has a user or a password in it" }
        return parts.fragment == nil ? nil : "has a fragment"
    }
}

extension Rule where Output == HostAndPort {
    static var listen: Rule {
        Rule("HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080") { text in
            HostAndPort(text).map { .accepted($0) } ?? .refused("is not an address to listen at")
        }
    }
}

/// A host, without brackets, and a port; port 0 lets the system choose one.
struct HostAndPort: Equatable {
    let host: String
    let port: UInt16

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            let isAddress = host.utf8.allSatisfy { $0.isDigit || "abcdefABCDEF:.".utf8.contains($0) }
            guard isAddress, host.contains(":") else { return nil }
        } else {
            guard !host.isEmpty,
                host.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "-._".utf8.contains($0) })
            else {
                return nil
            }
        }
        (self.host, self.port) = (String(host), port)
    }

    var isLoopback: Bool { Self.isLoopback(host) }

    /// Only what can be nothing else: `127.example.com` is a name that anybody may own.
    static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
