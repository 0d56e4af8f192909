/// An event's id: `evt_` and a lowercase ULID.
///
/// 48 bits are the row's own upstream time in milliseconds, 80 bits the first of a hash over kind, account,
/// identity and revision (contract, section 3). So ids arrive nearly in order, which keeps the log's index cheap, and
/// revision 1 of a row has the same id on every relay.
package struct EventID: Sendable, Hashable {
    /// 16 bytes, big-endian: their order is the text's order.
    package let bytes: [UInt8]

    /// - Parameters:
    ///   - time: the row's upstream time; only its lowest 48 bits of milliseconds count.
    ///   - digest: at least 10 bytes of the hash.
    package init(time: Timestamp, digest: some Collection<UInt8>) {
        precondition(digest.count >= 10, "an event id needs 80 bits of hash")
        let milliseconds = UInt64(bitPattern: time.milliseconds)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for place in 0..<6 as Range<UInt64> {
            bytes.append(UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * place)))
        }
        bytes.append(contentsOf: digest.prefix(10))
        self.bytes = bytes
    }

    /// Nil unless there are exactly 16 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads `evt_…`; nil for anything that is not a lowercase ULID of 128 bits.
    package init?(text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let symbols = Array(text.utf8.dropFirst(Self.prefix.utf8.count))
        guard symbols.count == 26 else { return nil }
        var value: (high: UInt64, low: UInt64) = (0, 0)
        for (place, symbol) in symbols.enumerated() {
            guard let digit = Self.alphabet.firstIndex(of: symbol), place > 0 || digit < 8 else { return nil }
            value.high = value.high << 5 | value.low >> 59
            value.low = value.low << 5 | UInt64(digit)
        }
        bytes = [value.high, value.low].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) }
        }
    }

    /// `evt_` and 26 characters of lowercase Crockford base32: always 30 bytes.
    package var text: String {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes.prefix(8) { high = high << 8 | UInt64(byte) }
        for byte in bytes.suffix(8) { low = low << 8 | UInt64(byte) }
        let prefix = Self.prefix.utf8
        return String(unsafeUninitializedCapacity: prefix.count + 26) { text in
            for (place, byte) in prefix.enumerated() { text[place] = byte }
            for place in (prefix.count..<prefix.count + 26).reversed() {
                text[place] = Self.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return prefix.count + 26
        }
    }

    /// The row's own upstream time; the 48 bits are a signed number: rows from before 1970 exist.
    package var time: Timestamp {
        let bits = bytes.prefix(6).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return Timestamp(milliseconds: (bits << 16) >> 16)
    }

    private static let prefix = "evt_"
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
}
