// A webhook receiver that verifies and deduplicates, with Foundation alone.
//
//     swiftc -O -parse-as-library receiver.swift -o receiver && ./receiver PORT [SECRET]
//
// Prints one line per new event. Standard Webhooks: the signature covers `{id}.{timestamp}.{body}`; the id is the same on
// every attempt, so an id that was seen is answered and not done twice. One connection at a time is served by one thread:
// in real life your web framework does this part.

import Foundation

@main
enum Receiver {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let port = UInt16(arguments[1]) else {
            print("usage: receiver PORT [SECRET]")
            exit(2)
        }
        let secret = arguments.count > 2 ? arguments[2] : "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        guard let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))) else { exit(2) }
        let listener = listen(port)
        let book = Book(key: [UInt8](key))
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 { continue }
            Thread { serve(connection, book) }.start()
        }
    }

    static func listen(_ port: UInt16) -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, generic, &size) == 0
            }
        }
        guard isBound else { exit(1) }
        fputs("listening on \(UInt16(bigEndian: address.sin_port))\n", stderr)
        return listener
    }

    /// Requests of one connection, one after the other.
    static func serve(_ connection: Int32, _ book: Book) {
        defer { close(connection) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(connection, &piece, piece.count)
            if count <= 0 { return }
            bytes += piece.prefix(count)
            while let request = Request(taking: &bytes) {
                let answer = "HTTP/1.1 \(book.receive(request))\r\ncontent-length: 0\r\n\r\n"
                _ = answer.withCString { write(connection, $0, strlen($0)) }
            }
            if bytes.count > 1 << 20 { return }
        }
    }
}

struct Request {
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    /// Nil until the whole request is there; takes its bytes.
    init?(taking bytes: inout [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        for line in String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard length >= 0, bytes.count >= end.upperBound + length else { return nil }
        body = Array(bytes[end.upperBound..<(end.upperBound + length)])
        bytes.removeFirst(end.upperBound + length)
    }
}

/// What was seen, and the answer to each request.
final class Book: @unchecked Sendable {
    // Everything below is touched under the lock alone.
    private let lock = NSLock()
    private var seen: Set<String> = []
    private let key: [UInt8]
    private static let toleranceSeconds = 300.0

    init(key: [UInt8]) {
        self.key = key
    }

    func receive(_ request: Request) -> String {
        guard isSigned(request), let id = request.headers["webhook-id"] else { return "401 Unauthorized" }
        lock.lock()
        defer { lock.unlock() }
        if seen.insert(id).inserted {
            let event = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            print(event?["sequence"] ?? "-", event?["type"] ?? "-", id, event?["subject"] ?? "-")
            fflush(stdout)
        }
        return "204 No Content"
    }

    /// Whether any signature in the header is ours, and the timestamp is recent.
    private func isSigned(_ request: Request) -> Bool {
        guard let id = request.headers["webhook-id"], let timestamp = request.headers["webhook-timestamp"],
            let seconds = Double(timestamp),
            abs(Date().timeIntervalSince1970 - seconds) <= Self.toleranceSeconds
        else { return false }
        let code = hmac(Array("\(id).\(timestamp).".utf8) + request.body, key: key)
        let expected = Array(("v1," + Data(code).base64EncodedString()).utf8)
        return (request.headers["webhook-signature"] ?? "").split(separator: " ").contains {
            areEqual(Array($0.utf8), expected)
        }
    }
}

/// In a time that depends on the lengths alone.
func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}

/// HMAC-SHA256 (RFC 2104). With swift-crypto: HMAC<SHA256>.authenticationCode(for:using:).
func hmac(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    var block = key.count > 64 ? sha256(key) : key
    block += [UInt8](repeating: 0, count: 64 - block.count)
    return sha256(block.map { $0 ^ 0x5C } + sha256(block.map { $0 ^ 0x36 } + message))
}

/// SHA-256 (FIPS 180-4), whose constants are the first bits of the roots of the first primes.
func sha256(_ message: [UInt8]) -> [UInt8] {
    let primes = (2...311).filter { number in !(2..<number).contains { number % $0 == 0 } }
    func fraction(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 4_294_967_296) }
    let constants = primes.prefix(64).map { fraction(cbrt(Double($0))) }
    var hash = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
    var bytes = message + [0x80]
    while bytes.count % 64 != 56 { bytes.append(0) }
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(message.count * 8) >> (56 - 8 * UInt64($0))) }
    func turned(_ value: UInt32, _ by: UInt32) -> UInt32 { value >> by | value << (32 - by) }
    for start in stride(from: 0, to: bytes.count, by: 64) {
        var words = (0..<16).map { place in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[start + place * 4 + $1]) }
        }
        for place in 16..<64 {
            let (early, late) = (words[place - 15], words[place - 2])
            let first = turned(early, 7) ^ turned(early, 18) ^ early >> 3
            let second = turned(late, 17) ^ turned(late, 19) ^ late >> 10
            words.append(words[place - 16] &+ first &+ words[place - 7] &+ second)
        }
        var state = hash
        for place in 0..<64 {
            let (a, e) = (state[0], state[4])
            let choice = (e & state[5]) ^ (~e & state[6])
            let one = state[7] &+ (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) &+ choice &+ constants[place] &+ words[place]
            let majority = (a & state[1]) ^ (a & state[2]) ^ (state[1] & state[2])
            let two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ majority
            state = [one &+ two, a, state[1], state[2], state[3] &+ one, e, state[5], state[6]]
        }
        hash = zip(hash, state).map { $0 &+ $1 }
    }
    return hash.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) } }
}
