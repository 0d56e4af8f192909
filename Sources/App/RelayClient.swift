import Configuration
import Foundation
import OutboundHTTP
import Services

/// A running relay's API as the commands with `--url` use it.
struct RelayClient {
    static let options = [
        Option(name: "url", value: "URL", help: "asks a running relay's API: http://127.0.0.1:8080"),
        Option(
            name: "token", value: "TOKEN", help: "for --url; better in $MILLRACE_TOKEN, where nobody sees it"),
        Option(name: "ca", value: "FILE", help: "for --url: certificates to trust instead of the system's"),
    ]

    private static let maxBytes = 32 << 20

    private let base: String
    private let token: String?
    private let caFile: String?
    private let http: HTTPClient

    /// The relay of the configuration's `http`, with the first of its tokens that may do more than read; without `--url`.
    init(configured arguments: Arguments) throws(CommandError) {
        if let asked = try RelayClient(arguments) {
            self = asked
            return
        }
        guard let served = try ConfigurationFile.settings(arguments).http else {
            throw .usage("the configuration has no http: start the relay with it, or give --url")
        }
        let host = served.host.contains(":") ? "[\(served.host)]" : served.host
        http = HTTPClient()
        base = "\(served.certificate == nil ? "http" : "https")://\(host):\(served.port)"
        let writer = served.tokens.first { $0.scope != .read }
        token = ProcessInfo.processInfo.environment["MILLRACE_TOKEN"] ?? writer?.token.reveal()
        caFile = arguments.text("ca")
    }

    /// Nil without `--url`.
    init?(_ arguments: Arguments) throws(CommandError) {
        guard let url = arguments.text("url") else { return nil }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw .usage("--url \(url): not a URL; allowed: http://HOST:PORT, https://HOST:PORT")
        }
        http = HTTPClient()
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        token = arguments.text("token") ?? ProcessInfo.processInfo.environment["MILLRACE_TOKEN"]
        caFile = arguments.text("ca")
    }

    func close() {
        http.close()
    }

    func decoded<T: Decodable>(_ path: String) async throws(CommandError) -> T {
        try decode(try await get(path, timeout: .seconds(30)), path)
    }

    /// Sends an object and reads the answer.
    func posted<T: Decodable>(_ path: String, _ object: [String: Any]) async throws(CommandError) -> T {
        let data: Data
        do {
            data = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
        } catch {
            preconditionFailure("texts, numbers and lists of them can always be written")
        }
        return try decode(try await send(.post, path, body: Array(data), timeout: .seconds(30)), path)
    }

    private func decode<T: Decodable>(_ body: [UInt8], _ path: String) throws(CommandError) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: Data(body))
        } catch {
            throw .failed("\(base)\(path): the answer is not what a relay answers")
        }
    }

    func get(_ path: String, timeout: Duration) async throws(CommandError) -> [UInt8] {
        try await send(.get, path, body: [], timeout: timeout)
    }

    private func send(
        _ method: OutboundRequest.Method, _ path: String, body: [UInt8], timeout: Duration
    ) async throws(CommandError) -> [UInt8] {
        var request = OutboundRequest(method, base + path, timeout: timeout, maxResponseBytes: Self.maxBytes)
        if !body.isEmpty {
            request.headers.append(("content-type", "application/json"))
            request.body = body
        }
        if let token { request.headers.append(("authorization", "Bearer \(token)")) }
        request.caFile = caFile
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await http.send(request)
        } catch {
            throw .failed("\(base): \(error.cause)")
        }
        guard (200...299).contains(response.status) else {
            throw .failed("\(base)\(path.prefix { $0 != "?" }): \(Self.reason(response))")
        }
        return response.body
    }

    /// The problem document's own words.
    private static func reason(_ response: OutboundResponse) -> String {
        struct Problem: Decodable {
            let title, detail: String
        }
        do {
            let problem = try JSONDecoder().decode(Problem.self, from: Data(response.body))
            return "\(response.status) \(problem.title): \(problem.detail)"
        } catch {
            return "HTTP status \(response.status)"
        }
    }
}
