import EventModel
import InboundHTTP
import Persisting
import Signing

/// Tokens made through the API, and the record of everything that was changed through it.
struct TokenRoutes: Sendable {
    let log: EventLog
    let readers: ReaderPool
    let access: AccessControl

    var routes: [Route] {
        [
            Route(
                method: "GET", path: "/v1/tokens", scope: .admin, query: ["cursor", "limit"], handle: list),
            Route(method: "POST", path: "/v1/tokens", scope: .admin, handle: make),
            Route(method: "DELETE", path: "/v1/tokens/{name}", scope: .admin, handle: remove),
            Route(
                method: "GET", path: "/v1/changes", scope: .read, query: ["cursor", "limit"], handle: changes),
        ]
    }

    @Sendable private func list(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let tokens = try await stored { () async throws(LogError) in
            try await readers.next().tokens(after: page.cursor ?? 0, limit: page.limit + 1)
        }
        return page.reply(tokens, number: \.id) { token, object in Self.write(token, &object) }
    }

    @Sendable private func make(_ call: Call) async throws(Problem) -> Reply {
        let body = try Body(call.request, known: ["name", "scope"])
        let name = try body.required("name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
            throw .unprocessable("name", "is not 1 to 64 letters, digits, -, _ or .")
        }
        guard let scope = Scope(rawValue: try body.required("scope")) else {
            throw .unprocessable("scope", "is none of read, write, admin")
        }
        guard !access.isConfigured(name) else {
            throw .conflict("name: the configuration has a token of this name.", field: "name")
        }
        let token = "mlr_" + secureRandomBytes(32).hexadecimal
        let note = ChangeNote(who: call.caller.name, what: "token.created", subject: name)
        let made = try await stored { () async throws(LogError) in
            try await log.addToken(name, hash: AccessControl.hash(token), scope: scope.rawValue, note)
        }
        guard let made else { throw .conflict("name: there is a token of this name.", field: "name") }
        try await reload()
        return .object(status: 201) { object in
            Self.write(made, &object)
            object.member("token", token)
        }
    }

    @Sendable private func remove(_ call: Call) async throws(Problem) -> Reply {
        let name = call.path["name"] ?? ""
        guard !access.isConfigured(name) else {
            throw .conflict("The configuration has this token; it is removed there.")
        }
        let note = ChangeNote(who: call.caller.name, what: "token.deleted", subject: name)
        let isRemoved = try await stored { () async throws(LogError) in try await log.removeToken(name, note)
        }
        guard isRemoved else { throw .notFound("There is no token of this name.") }
        try await reload()
        return .nothing
    }

    private func reload() async throws(Problem) {
        access.made(try await stored { () async throws(LogError) in try await readers.next().tokens() })
    }

    @Sendable private func changes(_ call: Call) async throws(Problem) -> Reply {
        let page = try ListPage(call.query)
        let changes = try await stored { () async throws(LogError) in
            try await readers.next().changes(before: page.cursor ?? .max, limit: page.limit + 1)
        }
        return page.reply(changes, number: \.id) { change, object in
            object.member("id", change.id)
            object.member("at", change.at.rfc3339Milliseconds)
            object.member("who", change.note.who)
            object.member("what", change.note.what)
            object.member("subject", change.note.subject)
        }
    }

    private static func write(_ token: StoredToken, _ object: inout JSONWriter) {
        object.member("name", token.name)
        object.member("scope", token.scope)
        object.member("created_at", token.created.rfc3339Milliseconds)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
