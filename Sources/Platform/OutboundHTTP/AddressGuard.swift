/// Which addresses are nobody's public endpoint: what a webhook must not reach unless the configuration lets it. Pure.
///
/// It judges the address a connection is about to be made to, after every look-up, so that neither a name that changes
/// its answer nor an unusual spelling of an address gets past it. Ranges: IANA's special-purpose registries
/// (RFC 6890), and the addresses at which clouds serve their metadata.
enum AddressGuard {
    /// Why an IPv4 address is refused; nil lets it pass.
    static func refusal(ofIPv4 bytes: [UInt8]) -> String? {
        guard bytes.count == 4 else { return "unknown" }
        return ranges4.first { contains($0.prefix, $0.bits, bytes) }?.name
    }

    /// Why an IPv6 address is refused; nil lets it pass.
    static func refusal(ofIPv6 bytes: [UInt8]) -> String? {
        guard bytes.count == 16 else { return "unknown" }
        return ranges6.first { contains($0.prefix, $0.bits, bytes) }?.name
    }

    private typealias Range = (prefix: [UInt8], bits: Int, name: String)

    private static let ranges4: [Range] = [
        ([169, 254, 169, 254], 32, "metadata"),
        ([168, 63, 129, 16], 32, "metadata"),
        ([0], 8, "unspecified"),
        ([127], 8, "loopback"),
        ([10], 8, "private"),
        ([172, 16], 12, "private"),
        ([192, 168], 16, "private"),
        ([169, 254], 16, "link-local"),
        ([100, 64], 10, "carrier-grade NAT"),
        ([192, 0, 0], 24, "reserved"),
        ([192, 0, 2], 24, "documentation"),
        ([198, 51, 100], 24, "documentation"),
        ([203, 0, 113], 24, "documentation"),
        ([192, 88, 99], 24, "6to4"),
        ([198, 18], 15, "reserved"),
        ([224], 4, "multicast"),
        ([240], 4, "reserved"),
    ]

    /// Forms that carry an IPv4 address are refused whole: no name of a public endpoint needs them, and what is behind
    /// the embedded address is the translator's to say.
    private static let ranges6: [Range] = [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback"),
        ([UInt8](repeating: 0, count: 16), 128, "unspecified"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 96, "v4-mapped"),
        ([0x00, 0x64, 0xFF, 0x9B], 32, "NAT64"),
        ([0x00], 8, "reserved"),
        ([0x01, 0x00, 0, 0, 0, 0, 0, 0], 64, "reserved"),
        ([0x20, 0x01, 0x00, 0x00], 32, "Teredo"),
        ([0x20, 0x01, 0x0D, 0xB8], 32, "documentation"),
        ([0x20, 0x02], 16, "6to4"),
        ([0xFC], 7, "unique-local"),
        ([0xFE, 0x80], 10, "link-local"),
        ([0xFE, 0xC0], 10, "site-local"),
        ([0xFF], 8, "multicast"),
    ]

    private static func contains(_ prefix: [UInt8], _ bits: Int, _ bytes: [UInt8]) -> Bool {
        let whole = bits / 8
        guard bytes.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
        let rest = bits % 8
        guard rest > 0 else { return true }
        let mask = UInt8.max << (8 - UInt8(rest))
        return bytes[whole] & mask == prefix[whole] & mask
    }
}
