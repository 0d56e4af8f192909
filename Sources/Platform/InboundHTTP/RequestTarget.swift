/// Takes a request target apart. The library's own parser cuts texts at `%00` and writes over the raw target.
struct RequestTarget {
    let path: String
    let query: [(name: String, value: String)]

    init(_ target: String) {
        let bytes = Self.withoutAuthority(target.utf8[...])
        let parts = bytes.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.decoded(parts.first ?? [], plusIsSpace: false)
        query = (parts.count > 1 ? parts[1] : [])
            .split(separator: UInt8(ascii: "&"))
            .map { pair in
                let sides = pair.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                return (
                    name: Self.decoded(sides[0], plusIsSpace: true),
                    value: sides.count > 1 ? Self.decoded(sides[1], plusIsSpace: true) : ""
                )
            }
    }

    /// The absolute form `http://host/path` is for proxies, but every server has to accept it (RFC 9112,
    /// 3.2.2).
    private static func withoutAuthority(_ target: Substring.UTF8View) -> [UInt8] {
        let bytes = Array(target)
        let scheme = Array("http://".utf8)
        guard bytes.starts(with: scheme) else { return bytes }
        let rest = bytes.dropFirst(scheme.count)
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
            return [UInt8(ascii: "/")]
        }
        return rest[end] == UInt8(ascii: "/") ? Array(rest[end...]) : [UInt8(ascii: "/")] + rest[end...]
    }

    /// A `%` without two hexadecimal digits after it stays as it is.
    private static func decoded(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> String {
        let bytes = Array(bytes)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            if byte == UInt8(ascii: "%"), place + 2 < bytes.count,
                let high = digit(bytes[place + 1]), let low = digit(bytes[place + 2])
            {
                result.append(high << 4 | low)
                place += 3
                continue
            }
            result.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            place += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
