import Foundation
import InboundHTTP
import OutboundHTTP
import Testing

/// TLS between our own two ends. Real: libmicrohttpd and libcurl on loopback, with a made-up certificate of localhost.
@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tls")

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    @Test func aCertificateIsServed() async throws {
        let tls = HTTPServer.TLS(
            certificate: try Self.text("server.pem"), key: try Self.text("server.key"))
        let server = try HTTPServer(.init(tls: tls)) { request, responder in
            responder.answer(HTTPAnswer(status: 200, body: Array(request.path.utf8)))
        }
        defer { server.stop() }
        let client = HTTPClient()
        defer { client.close() }
        var request = OutboundRequest(
            .get, "https://localhost:\(server.port)/secret", timeout: .seconds(10), maxResponseBytes: 1000)
        request.caFile = Self.folder.appendingPathComponent("server.pem").path
        let response = try await client.send(request)
        #expect(response.status == 200)
        #expect(response.body == Array("/secret".utf8))
    }

    @Test func aKeyThatDoesNotFitIsSaidSo() throws {
        let certificate = try Self.text("server.pem")
        let error = #expect(throws: InboundHTTPError.self) {
            _ = try HTTPServer(.init(tls: .init(certificate: certificate, key: "no key"))) { _, _ in }
        }
        #expect(error?.kind == .certificate)
    }
}
