import Foundation
import OutboundHTTP

/// A caller of a relay's API on this machine.
struct APIClient: Sendable {
    let port: Int
    var token: String?
    private let http = HTTPClient()

    init(port: Int, token: String? = nil) {
        (self.port, self.token) = (port, token)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func ask(
        _ method: OutboundRequest.Method = .get, _ target: String, body: String = ""
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = OutboundRequest(method, url + target, timeout: .seconds(70), maxResponseBytes: 64 << 20)
        if let token { request.headers.append(("authorization", "Bearer \(token)")) }
        if !body.isEmpty {
            request.headers.append(("content-type", "application/json"))
            request.body = Array(body.utf8)
        }
        let response = try await http.send(request)
        return (response.status, response.body)
    }

    func object(_ target: String) async throws -> [String: Any] {
        let body = try await ask(.get, target).body
        return try (JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]).unwrapped("no object")
    }

    /// A port that is free at the moment.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(descriptor, pointer, length) == 0, getsockname(descriptor, pointer, &length) == 0
                else {
                    throw Failure("no free port")
                }
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
    }
}
