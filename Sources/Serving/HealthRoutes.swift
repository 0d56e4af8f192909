import EventModel
import InboundHTTP
import Persisting
import Ports
import Services

/// What operators and their machines look at.
struct HealthRoutes: Sendable {
    let readers: ReaderPool
    let metrics: RelayMetrics
    /// Sets the metrics that are looked up and not counted.
    let refresh: @Sendable () async -> Void
    let readiness: Readiness
    let openAPI: [UInt8]
    let timekeeper: any Timekeeper

    var routes: [Route] {
        [
            Route(method: "GET", path: "/healthz", scope: nil, query: nil) { _ in
                .object { $0.member("status", "ok") }
            },
            Route(method: "GET", path: "/readyz", scope: nil, query: nil, handle: ready),
            Route(
                method: "GET", path: "/metrics", scope: nil, query: nil, type: "text/plain", handle: numbers),
            Route(method: "GET", path: "/openapi.json", scope: nil, query: nil) { [openAPI] _ in
                .json(openAPI)
            },
            Route(method: "GET", path: "/v1/status", scope: .read, handle: status),
            Route(method: "GET", path: "/v1/audit", scope: .read, query: ["quick"], handle: audit),
        ]
    }

    @Sendable private func ready(_ call: Call) async throws(Problem) -> Reply {
        guard readiness.isReady else {
            throw Problem(
                503, "not-ready", "Not ready", "A part of the relay has not started yet, or it is stopping.")
        }
        _ = try await stored { () async throws(LogError) in try await readers.next().dataVersion() }
        return .object { $0.member("status", "ready") }
    }

    @Sendable private func numbers(_ call: Call) async throws(Problem) -> Reply {
        await refresh()
        return .answer(
            HTTPAnswer(
                status: 200, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"],
                body: Array(metrics.registry.text.utf8)))
    }

    /// Counted anew, unless `quick`: then by the counts alone.
    @Sendable private func audit(_ call: Call) async throws(Problem) -> Reply {
        let isQuick = try call.query.flag("quick") ?? false
        let audit = try await stored { () async throws(LogError) in
            try await readers.next().audit(thorough: !isQuick)
        }
        return .json(audit.json)
    }

    @Sendable private func status(_ call: Call) async throws(Problem) -> Reply {
        let reader = readers.next()
        let now = timekeeper.now
        let view = try await stored { () async throws(LogError) in
            StatusView(
                try await reader.summary(), sources: try await reader.sources(),
                sinks: try await reader.sinks(),
                now: now)
        }
        return .json(view.json)
    }
}
