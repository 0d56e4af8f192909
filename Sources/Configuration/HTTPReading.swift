import Services

extension Section {
    /// Reads `http`; its tokens apart, since the checks over them need their paths.
    mutating func http() -> (Settings.HTTP, [Placed<Settings.Token>]) {
        var http = Settings.HTTP()
        if let listen = value("listen", .listen) {
            (http.host, http.port) = (listen.host, listen.port)
        }
        let tls = subsection("tls") { $0.serverTLS() }
        (http.certificate, http.key) = (tls?.certificate, tls?.key)
        let tokens = subsections("tokens") { $0.token() }
        take("allow_private_endpoints", .flag, into: &http.allowPrivateEndpoints)
        if tokens.isEmpty, !HostAndPort.isLoopback(http.host), !reading.hasProblem(at: child("tokens")) {
            refuse(
                "tokens", "is missing, and the relay listens beyond loopback",
                "at least one token, or listen at 127.0.0.1")
        }
        return (http, tokens)
    }

    private mutating func serverTLS() -> (certificate: String?, key: String?) {
        var tls: (certificate: String?, key: String?) = (nil, nil)
        takeFile("certificate", into: &tls.certificate)
        takeFile("key", into: &tls.key)
        if !isGiven("certificate"), !isGiven("key") {
            reading.refuse(path, "is empty", "certificate and key go together")
        }
        refuseHalfPair()
        return tls
    }

    private mutating func token() -> Settings.Token {
        var name = ""
        var token = Secret("")
        var scope = Settings.Scope.read
        require("name", .name, into: &name)
        require("token", .token, into: &token)
        require("scope", .oneOf(Settings.Scope.allCases), into: &scope)
        return Settings.Token(name: name, token: token, scope: scope)
    }
}
