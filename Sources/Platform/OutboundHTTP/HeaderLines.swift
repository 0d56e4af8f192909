import CCurl

/// Header lines as libcurl wants them: zero-terminated texts and a linked list over them, in two allocations whatever
/// their number, because thousands of these are made a second.
///
/// libcurl only reads the list (CURLOPT_HTTPHEADER(3)); the memory is freed with the transfer, after the handle let go.
final class HeaderLines {
    /// Lines one after the other, each ended by a zero, already found lawful.
    struct Block: Sendable {
        fileprivate var bytes: [UInt8] = []
        fileprivate var starts: [Int] = []

        /// An empty Expect: libcurl would wait up to a second for a 100 that many servers never send.
        static let beginning: Block = {
            var block = Block()
            block.starts.append(0)
            block.bytes += Array("Expect:".utf8) + [0]
            return block
        }()

        mutating func reserve(_ moreBytes: Int, _ moreLines: Int) {
            bytes.reserveCapacity(bytes.count + moreBytes)
            starts.reserveCapacity(starts.count + moreLines)
        }

        /// False for a name or a value that HTTP does not allow: libcurl would send it as it is, also with line breaks.
        mutating func append(_ name: String, _ value: String) -> Bool {
            starts.append(bytes.count)
            var (name, value) = (name, value)
            var isLawful = !name.isEmpty
            name.withUTF8 { name in
                for byte in name where !Self.isToken(byte) { isLawful = false }
                bytes.append(contentsOf: name)
            }
            let colon = bytes.count
            bytes.append(UInt8(ascii: ":"))
            bytes.append(UInt8(ascii: " "))
            var isBlank = true
            value.withUTF8 { value in
                for byte in value {
                    if byte < 0x20 && byte != 0x09 || byte == 0x7F { isLawful = false }
                    if byte != 0x20, byte != 0x09 { isBlank = false }
                }
                bytes.append(contentsOf: value)
            }
            if isBlank {
                // To libcurl `name:` means "leave it out", and `name;` is a header without a value.
                bytes.removeSubrange(colon...)
                bytes.append(UInt8(ascii: ";"))
            }
            bytes.append(0)
            return isLawful
        }

        /// RFC 9110, section 5.6.2.
        private static func isToken(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): true
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "!#$%&'*+.^_`|~".utf8.contains(byte)
            }
        }
    }

    private let texts: UnsafeMutablePointer<CChar>
    private let nodes: UnsafeMutablePointer<curl_slist>

    init(_ block: Block) {
        texts = .allocate(capacity: block.bytes.count)
        nodes = .allocate(capacity: block.starts.count)
        block.bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: texts, count: $0.count).copyMemory(from: $0)
        }
        for (place, start) in block.starts.enumerated() {
            let next = place + 1 < block.starts.count ? nodes + place + 1 : nil
            (nodes + place).initialize(to: curl_slist(data: texts + start, next: next))
        }
    }

    deinit {
        texts.deallocate()
        nodes.deallocate()
    }

    var list: UnsafeMutablePointer<curl_slist> { nodes }
}
