import Dispatch
import Glibc
import OutboundHTTP
import Testing

/// Pins what a connection that closes too early is taken for.
@Suite(.timeLimit(.minutes(1))) struct CutAnswerTests {
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ])
    func answerThatEndsTooEarlyIsNone(text: String) async throws {
        let server = try OneAnswer(text)
        #expect(await server.failure() == .broken)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n1\r\nx\r\n0\r\na: b\r\n\r\n",
    ])
    func answerThatEndsWithItsConnectionIsOne(text: String) async throws {
        let server = try OneAnswer(text)
        #expect(await server.failure() == nil)
    }
}

/// A server on a plain socket that sends these bytes to whoever asks first, and closes.
private struct OneAnswer {
    private let port: Int

    init(_ text: String) throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, length) == 0 && listen(listening, 1) == 0
                    && getsockname(listening, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
        DispatchQueue.global().async {
            let connection = accept(listening, nil, nil)
            var asked = [UInt8](repeating: 0, count: 4096)
            _ = recv(connection, &asked, asked.count, 0)
            let bytes = Array(text.utf8)
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(connection)
            close(listening)
        }
    }

    func failure() async -> OutboundError.Kind? {
        let client = HTTPClient()
        defer { client.close() }
        let request = OutboundRequest(
            .get, "http://127.0.0.1:\(port)/", timeout: .seconds(20), maxResponseBytes: 4096)
        do throws(OutboundError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error.kind
        }
    }
}
