import CCurl

/// Header lines one after the other, each ended by a zero, and whether HTTP allows them.
struct HeaderBlock: Sendable {
    fileprivate var bytes: [UInt8] = []
    fileprivate var starts: [Int] = []
    /// False once a name or a value came that HTTP does not allow: libcurl would send it as it is, also with line breaks.
    private(set) var isLawful = true

    /// An empty Expect: libcurl would wait up to a second for a 100 that many servers never send.
    static let beginning: HeaderBlock = {
        var block = HeaderBlock()
        block.starts.append(0)
        block.bytes += Array("Expect:".utf8) + [0]
        return block
    }()

    /// Becomes the same as another one, in the memory it has.
    mutating func restart(_ other: HeaderBlock) {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        bytes += other.bytes
        starts += other.starts
        isLawful = other.isLawful
    }

    mutating func append(_ name: String, _ value: String) {
        starts.append(bytes.count)
        var (name, value) = (name, value)
        if name.isEmpty { isLawful = false }
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

/// A handle's header lines as libcurl wants them: zero-terminated texts and a linked list over them, in memory that one
/// request after the other uses.
///
/// libcurl only reads the list (CURLOPT_HTTPHEADER(3)), and no longer when the transfer has ended.
final class HeaderLines {
    private var block = HeaderBlock()
    private var texts = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
    private var nodes = UnsafeMutableBufferPointer<curl_slist>.allocate(capacity: 16)

    deinit {
        texts.deallocate()
        nodes.deallocate()
    }

    /// The lines of a request; nil when one of them is not allowed in HTTP.
    func list(_ request: OutboundRequest) -> UnsafeMutablePointer<curl_slist>? {
        block.restart(request.route?.headers ?? .beginning)
        for header in request.headers { block.append(header.name, header.value) }
        return block.isLawful ? linked() : nil
    }

    private func linked() -> UnsafeMutablePointer<curl_slist>? {
        if texts.count < block.bytes.count {
            texts.deallocate()
            texts = .allocate(byteCount: 2 * block.bytes.count, alignment: 1)
        }
        if nodes.count < block.starts.count {
            nodes.deallocate()
            nodes = .allocate(capacity: 2 * block.starts.count)
        }
        texts.copyBytes(from: block.bytes)
        let text = texts.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard let text, let node = nodes.baseAddress else { return nil }
        for (place, start) in block.starts.enumerated() {
            let next = place + 1 < block.starts.count ? node + place + 1 : nil
            (node + place).initialize(to: curl_slist(data: text + start, next: next))
        }
        return node
    }
}
