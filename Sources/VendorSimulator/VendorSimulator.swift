import Dispatch
package import EventModel
import InboundHTTP

/// The vendors' side of the relay, made up: an HTTP server that answers like them, over a seeded world.
///
///     request ──▶ route ──▶ fault of this request? ──▶ signature, clock ──▶ query ──▶ page of the world
///
/// - Serves all five lists at the vendors' paths and under the prefix `/apiServer`, as their pages describe them: refusals
///   are HTTP 200 with a code. Other paths are 404, other methods 405.
/// - `truth(at:)` and its like are what a perfect reader would have: a demo and a test compare it with what came out at
///   the end.
/// - What the vendor does and nobody knows is an option (`SimulatorOptions`), and said so there.
/// - Ties are lost as the vendor would lose them: its cursor is (second, 0, customer id or 0), and a page
///   that goes on from it starts strictly after that position. A reader that trusts the cursor misses rows of
///   such a second.
///
/// To add an endpoint: a class like `VisitsEndpoint`, and its path in `SimulatorRoutes`.
package final class VendorSimulator: Sendable {
    /// The port that is listened on.
    package let port: Int
    private let host: String
    private let door: TanmaDoor
    private let visits: VisitsEndpoint
    private let relations: RelationsEndpoint
    private let customers: CustomersEndpoint
    private let limits: SimulatorLimits
    private let weiban: WeibanEndpoint
    private let server: HTTPServer

    /// Makes the world and serves it from here on; the world starts at `now()`.
    /// - Parameter now: the simulator's clock, asked once a request.
    package init(
        _ options: SimulatorOptions, now: @escaping @Sendable () -> Timestamp
    ) throws(SimulatorError) {
        if let problem = options.problem {
            throw SimulatorError(.badOption, doing: "start the simulator", cause: problem)
        }
        let door = TanmaDoor(options, now: now)
        let visits = VisitsEndpoint(door, start: now())
        let relations = RelationsEndpoint(door, start: now())
        let customers = CustomersEndpoint(door, relations: relations, start: now())
        let weiban = WeibanEndpoint(door, now: now)
        let limits = SimulatorLimits(options, now: now)
        let routes = SimulatorRoutes(
            visits: visits, relations: relations, customers: customers, weiban: weiban, limits: limits,
            latency: options.latency)
        do throws(InboundHTTPError) {
            server = try HTTPServer(.init(host: options.host, port: options.port)) { request, responder in
                routes.serve(request, responder)
            }
        } catch {
            let kind: SimulatorError.Kind = error.kind == .addressInUse ? .addressInUse : .cannotListen
            throw SimulatorError(kind, doing: error.doing, cause: error.cause)
        }
        (self.door, self.visits, self.relations, self.weiban) = (door, visits, relations, weiban)
        (self.customers, self.limits) = (customers, limits)
        (host, port) = (options.host, server.port)
    }

    /// Where a configuration points to: the vendor's base URL with its prefix, without a slash at the end.
    package var baseURL: String {
        let reachable = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        return "http://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(port)/apiServer"
    }

    /// What was asked and answered so far.
    package var statistics: SimulatorStatistics {
        var statistics = door.statistics
        statistics.tanma = limits.tanma
        statistics.weiban = limits.weiban
        return statistics
    }

    /// Every row the visits endpoint would serve in full at this instant, in its order.
    package func truth(at instant: Timestamp) -> [TrueVisit] {
        visits.truth(at: instant)
    }

    /// Every row the relations endpoint would serve in full at this instant, both types, by creation.
    package func relations(at instant: Timestamp) -> [TrueRelation] {
        relations.truth(at: instant)
    }

    /// Every follow record that is there at this instant, of all customers who can be asked for.
    package func followRecords(at instant: Timestamp) -> [TrueFollowRecord] {
        customers.followRecords(at: instant)
    }

    /// Follow records that were there once and are not at this instant.
    package func deletedFollowRecords(at instant: Timestamp) -> [TrueFollowRecord] {
        customers.deletedRecords(at: instant)
    }

    /// Every customer's file that is there at this instant.
    package func customerFiles(at instant: Timestamp) -> [TrueCustomerFile] {
        customers.files(at: instant)
    }

    /// Every row the outflow endpoint would serve in full at this instant.
    package func outflows(at instant: Timestamp) -> [TrueOutflow] {
        weiban.truth(at: instant)
    }

    /// Weiban's base URL, without a slash at the end.
    package var weibanURL: String { String(baseURL.dropLast("/apiServer".count)) }

    /// Answers what is still to come with 503 and closes; blocks until that is done. Further calls do
    /// nothing.
    package func stop() {
        server.stop()
    }
}

/// Counts since the start.
package struct SimulatorStatistics: Sendable, Equatable {
    /// By the endpoint's path without a prefix; every request, also those that went wrong.
    package var requests: [String: Int] = [:]
    /// Sound rows on pages that were answered.
    package var rowsServed = 0
    /// Faults that had an effect: a request that was refused anyway shows no malformed page.
    package var faults: [Fault: Int] = [:]
    /// Code 1002.
    package var signatureRefusals = 0
    /// Code 1003.
    package var clockRefusals = 0
    /// Code 1001.
    package var parameterRefusals = 0
    /// How hard each vendor was asked.
    package internal(set) var tanma = Load()
    package internal(set) var weiban = Load()

    /// The most requests that came within any second, that were in process at once, and that were refused for it.
    package struct Load: Sendable, Equatable {
        package internal(set) var busiestSecond = 0
        package internal(set) var mostAtOnce = 0
        package internal(set) var refused = 0
    }
}

/// One request as a command prints it. Holds nothing of a row and no credential.
package struct SimulatedRequest: Sendable, Equatable {
    /// What was asked for.
    package struct Window: Sendable, Equatable {
        package let since: Timestamp
        package let before: Timestamp?
        package let size: Int
    }

    /// The endpoint's path without a prefix.
    package let endpoint: String
    /// What was decided to go wrong.
    package let fault: Fault
    /// Nil for a connection that was closed without an answer.
    package internal(set) var status: Int? = 200
    /// The code inside the reply.
    package internal(set) var code: Int64 = 0
    /// Nil when the request was not understood, or not looked at.
    package internal(set) var window: Window?
    /// Sound rows in the reply.
    package internal(set) var rows = 0

    init(endpoint: String, fault: Fault) {
        (self.endpoint, self.fault) = (endpoint, fault)
    }
}

/// Finds the endpoint of a request and sends its reply when it is due.
struct SimulatorRoutes: Sendable {
    private static let prefix = "/apiServer"

    let visits: VisitsEndpoint
    let relations: RelationsEndpoint
    let customers: CustomersEndpoint
    let weiban: WeibanEndpoint
    let limits: SimulatorLimits
    let latency: Duration

    func serve(_ request: InboundRequest, _ responder: Responder) {
        let path =
            request.path.hasPrefix(Self.prefix + "/")
            ? String(request.path.dropFirst(Self.prefix.count)) : request.path
        let isList = path == WeibanEndpoint.outflowPath
        let isKnown = [
            VisitsEndpoint.path, RelationsEndpoint.path, CustomersEndpoint.recordsPath,
            CustomersEndpoint.filesPath, WeibanEndpoint.tokenPath,
        ].contains(path)
        guard isKnown || isList else {
            return responder.answer(TanmaDoor.json(TanmaDoor.envelope(404, "not found"), status: 404))
        }
        guard request.method == (isList ? "GET" : "POST") else {
            var refusal = TanmaDoor.json(TanmaDoor.envelope(405, "method not allowed"), status: 405)
            refusal.headers.append("Allow", isList ? "GET" : "POST")
            return responder.answer(refusal)
        }
        let isWeiban = path == WeibanEndpoint.outflowPath || path == WeibanEndpoint.tokenPath
        if let refusal = limits.began(isWeiban: isWeiban, isList: isList) {
            limits.ended(isWeiban: isWeiban)
            return responder.answer(refusal)
        }
        switch reply(to: request, at: path) {
        case .drop:
            limits.ended(isWeiban: isWeiban)
            responder.drop()
        case .answer(let response, let delay):
            send(response, after: max(delay ?? .zero, latency), isWeiban: isWeiban, responder)
        }
    }

    private func send(
        _ response: HTTPAnswer, after delay: Duration, isWeiban: Bool, _ responder: Responder
    ) {
        guard delay > .zero else {
            limits.ended(isWeiban: isWeiban)
            return responder.answer(response)
        }
        // The server's thread must not wait, and a suspended connection costs none.
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(delay.wholeMilliseconds))) {
            limits.ended(isWeiban: isWeiban)
            responder.answer(response)
        }
    }

    private func reply(to request: InboundRequest, at path: String) -> TanmaDoor.Reply {
        switch path {
        case VisitsEndpoint.path: visits.serve(request)
        case RelationsEndpoint.path: relations.serve(request)
        case CustomersEndpoint.recordsPath, CustomersEndpoint.filesPath: customers.serve(request, at: path)
        default: weiban.serve(request, at: path)
        }
    }
}
