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
    private let http = HTTPClient()

    /// Nil without `--url`.
    init?(_ arguments: Arguments) throws(CommandError) {
        guard let url = arguments.text("url") else { return nil }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw .usage("--url \(url): not a URL; allowed: http://HOST:PORT, https://HOST:PORT")
        }
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        token = arguments.text("token") ?? ProcessInfo.processInfo.environment["MILLRACE_TOKEN"]
        caFile = arguments.text("ca")
    }

    func close() {
        http.close()
    }

    func decoded<T: Decodable>(_ path: String) async throws(CommandError) -> T {
        let body = try await get(path, timeout: .seconds(30))
        do {
            return try JSONDecoder().decode(T.self, from: Data(body))
        } catch {
            throw .failed("\(base)\(path): the answer is not what a relay answers")
        }
    }

    func get(_ path: String, timeout: Duration) async throws(CommandError) -> [UInt8] {
        var request = OutboundRequest(.get, base + path, timeout: timeout, maxResponseBytes: Self.maxBytes)
        if let token { request.headers.append(("authorization", "Bearer \(token)")) }
        request.caFile = caFile
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await http.send(request)
        } catch {
            throw .failed("\(base): \(error.cause)")
        }
        guard response.status == 200 else {
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
