import Configuration
import EventSchemas
import Foundation
import Persisting
import Ports
import Publishing
import Replaying
import Services
import Serving
import YAML

extension Assembly {
    /// Nil without `http` in the configuration.
    func api(
        _ fleet: SourceFleet, _ engine: DeliveryEngine, _ replays: ReplayKeeper
    ) throws -> APIServer? {
        guard let http = settings.http else { return nil }
        let lookUp = try lookUpOfMetrics()
        return try APIServer(
            APIServer.Settings(
                host: http.host, port: http.port, tls: try Self.tls(http), tokens: Self.tokens(http)),
            APIServer.Relay(
                log: log, book: SubscriptionBook(engine), replays: replays,
                isTopic: settings.kafka.map { _ in Settings.Kafka.isTopic },
                sources: { fleet.controls }, metrics: metrics, refresh: lookUp,
                readiness: readiness,
                openAPI: try OpenAPIDocument.json()),
            timekeeper: timekeeper, logger: logger)
    }

    static func tokens(_ http: Settings.HTTP) -> [APIToken] {
        http.tokens.map { token in
            APIToken(
                name: token.name, token: token.token, scope: Scope(rawValue: token.scope.rawValue) ?? .read)
        }
    }

    private static func tls(_ http: Settings.HTTP) throws -> (certificate: String, key: String)? {
        guard let certificate = http.certificate, let key = http.key else { return nil }
        return (
            try String(contentsOfFile: certificate, encoding: .utf8),
            try String(contentsOfFile: key, encoding: .utf8)
        )
    }

    /// What the store knows better than a counter of this process: looked up at every scrape.
    private func lookUpOfMetrics() throws(LogError) -> @Sendable () async -> Void {
        let reader = try LogReader(path: log.path)
        let store = StoreMetrics(reader: reader, metrics: metrics, timekeeper: timekeeper, logger: logger)
        let process = ProcessMetrics(metrics.registry)
        return {
            await store.refresh()
            process.refresh()
        }
    }
}

/// `schemas/openapi.yaml` as the JSON that is served.
enum OpenAPIDocument {
    static func json() throws -> [UInt8] {
        let node = try YAMLNode.parse(String(decoding: EventSchemas.openAPI, as: UTF8.self))
        let data = try JSONSerialization.data(
            withJSONObject: value(node), options: [.sortedKeys, .withoutEscapingSlashes])
        return Array(data)
    }

    /// YAML's core schema, as far as the file uses it: plain scalars are null, booleans and numbers before they are texts.
    private static func value(_ node: YAMLNode) -> Any {
        switch node.kind {
        case .sequence(let nodes): return nodes.map(value)
        case .mapping(let entries):
            return Dictionary(entries.map { ($0.key.text ?? "", value($0.value)) }) { first, _ in first }
        case .scalar(let text, let isQuoted):
            if isQuoted { return text }
            if node.isNull { return NSNull() }
            if text == "true" { return true }
            if text == "false" { return false }
            if let number = Int64(text) { return number }
            return Double(text) ?? text
        }
    }
}
