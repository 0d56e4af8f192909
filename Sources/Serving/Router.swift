import EventModel
import InboundHTTP
import Ports
import Services

/// One route: what it is called, what it needs, what it does.
struct Route: Sendable {
    let method: String
    /// `/v1/tokens/{name}`.
    let path: String
    /// Nil asks for no token.
    let scope: Scope?
    /// The query's names; nil looks at none.
    var query: [String]? = []
    /// What it answers with.
    var type = "application/json"
    let handle: @Sendable (Call) async throws(Problem) -> Reply
}

/// Finds a request's route and keeps the rules that all routes share.
struct Router: Sendable {
    private let routes: [Route]
    private let access: AccessControl
    private let idempotency = IdempotencyLedger()
    private let timekeeper: any Timekeeper

    init(_ routes: [Route], access: AccessControl, timekeeper: any Timekeeper) {
        (self.routes, self.access, self.timekeeper) = (routes, access, timekeeper)
    }

    /// - Returns: the route's path for counting, and the reply.
    func reply(to request: InboundRequest) async -> (route: String, reply: Reply) {
        let segments = Self.segments(request.path)
        // Exact paths come before those with a part to fill in.
        let matching = routes.compactMap { route in
            Self.match(Self.segments(route.path), segments).map { (route, $0) }
        }.sorted { $0.1.count < $1.1.count }
        let name = matching.first?.0.path ?? "none"
        do throws(Problem) {
            return (name, try await answer(request, matching))
        } catch {
            return (name, .answer(error.answer))
        }
    }

    private func answer(
        _ request: InboundRequest, _ matching: [(Route, [String: String])]
    ) async throws(Problem) -> Reply {
        let method = request.method == "HEAD" ? "GET" : request.method
        let found = matching.first { $0.0.method == method }
        let isPublic = !matching.isEmpty && matching.allSatisfy { $0.0.scope == nil }
        let caller = try access.admit(
            request, to: found.map(\.0.scope) ?? (isPublic ? nil : .read), at: timekeeper.elapsed)
        guard !matching.isEmpty else {
            throw .notFound("There is no such route; GET /openapi.json lists them.")
        }
        guard let (route, path) = found else { return try Self.withoutRoute(method, matching) }
        try Self.requireAcceptable(request, route.type)
        let call = Call(
            request: request, caller: caller, path: path, query: try Query(request.query, known: route.query))
        guard method == "POST", let key = request.headers["idempotency-key"] else {
            return try await route.handle(call)
        }
        return try await once(key, call, route)
    }

    private func once(_ key: String, _ call: Call, _ route: Route) async throws(Problem) -> Reply {
        if case .repeated(let answer) = try idempotency.begin(key, call, at: timekeeper.elapsed) {
            return .answer(answer)
        }
        do throws(Problem) {
            let reply = try await route.handle(call)
            if case .answer(let answer) = reply { idempotency.end(key, call, answer) }
            return reply
        } catch {
            idempotency.end(key, call, error.answer)
            throw error
        }
    }

    private static func withoutRoute(
        _ method: String, _ matching: [(Route, [String: String])]
    ) throws(Problem) -> Reply {
        var allowed = Set(matching.map(\.0.method))
        if allowed.contains("GET") { allowed.insert("HEAD") }
        allowed.insert("OPTIONS")
        let allow = allowed.sorted().joined(separator: ", ")
        if method == "OPTIONS" { return .answer(HTTPAnswer(status: 204, headers: ["Allow": allow])) }
        var problem = Problem(405, "method-not-allowed", "Method not allowed", "Allowed here: \(allow).")
        problem.headers.append("Allow", allow)
        throw problem
    }

    private static func requireAcceptable(_ request: InboundRequest, _ type: String) throws(Problem) {
        let accepted = request.headers.values("accept").flatMap { $0.split(separator: ",") }
        guard !accepted.isEmpty else { return }
        let family = type.prefix { $0 != "/" } + "/*"
        let fits = accepted.contains { range in
            let parts = range.split(separator: ";").map { $0.lowercased().filter { $0 != " " } }
            let isRefused = parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
            return !isRefused && [type, String(family), "*/*"].contains(parts.first ?? "")
        }
        guard fits else {
            throw Problem(
                406, "not-acceptable", "Not acceptable", "This route answers with \(type).", field: "accept")
        }
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func match(_ route: [Substring], _ path: [Substring]) -> [String: String]? {
        guard route.count == path.count else { return nil }
        var values: [String: String] = [:]
        for (part, text) in zip(route, path) {
            if part.hasPrefix("{") {
                guard !text.isEmpty else { return nil }
                values[String(part.dropFirst().dropLast())] = String(text)
            } else if part != text {
                return nil
            }
        }
        return values
    }
}
