import Configuration
import Foundation
import Kafka
import OutboundHTTP
import Persisting
import Services

/// `millrace check`: says everything that is wrong with a configuration, and on request with what it points to.
struct CheckCommand: Command {
    let name = "check"
    let summary = "validates the configuration: every problem, one a line"
    let options = [
        Option.config,
        Option(name: "connect", help: "also tries every upstream, broker and endpoint"),
        Option(name: "store", help: "also examines the store"),
    ]
    let examples = [
        Example("millrace check", "exit 0: valid; exit 2: FILE:LINE: key: what is wrong, what is allowed"),
        Example("millrace check --connect", "also says which hosts do not answer from here"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let reading = ConfigurationFile.read(arguments)
        for problem in reading.problems { Output.line(problem.description) }
        for warning in reading.warnings { Terminal.say("warning: \(warning)") }
        guard let settings = reading.settings else { return 2 }
        let refusals = kafkaRefusals(settings, in: ConfigurationFile.path(arguments))
        for refusal in refusals { Output.line(refusal.description) }
        guard refusals.isEmpty else { return 2 }
        var isSound = true
        if arguments.has("store") { isSound = await examine(settings.store.path) && isSound }
        if arguments.has("connect") { isSound = await connect(settings) && isSound }
        if isSound { Terminal.say("\(ConfigurationFile.path(arguments)) is valid") }
        return isSound ? 0 : 1
    }

    /// What librdkafka itself says of its properties, without connecting anywhere.
    private func kafkaRefusals(_ settings: Settings, in path: String) -> [ConfigurationProblem] {
        let properties = settings.kafka?.properties ?? [:]
        let refused = properties.sorted { $0.key < $1.key }.compactMap { name, value in
            KafkaProducer.refusal(ofProperty: name, value: value.reveal()).map { refusal in
                ConfigurationProblem(
                    file: path, line: Self.line(of: name, in: path), key: "kafka.properties.\(name)",
                    message: refusal.cause, allowed: "allowed: what librdkafka documents for it")
            }
        }
        guard refused.isEmpty, let kafka = settings.kafka else { return refused }
        return Self.refusalTogether(kafka, in: path).map { [$0] } ?? []
    }

    /// Properties that are each right may miss others or a file: a client that knows no broker connects nowhere.
    private static func refusalTogether(_ kafka: Settings.Kafka, in path: String) -> ConfigurationProblem? {
        do throws(KafkaError) {
            var properties = kafka.properties.mapValues { $0.reveal() }
            let own = kafka.delivery == .exactlyOnce ? "transactional.id" : "enable.idempotence"
            properties[own] = "true"
            try KafkaProducer(properties: properties, logger: .silent).close()
            return nil
        } catch {
            return ConfigurationProblem(
                file: path, line: line(of: "properties", in: path), key: "kafka.properties",
                message: error.cause, allowed: "allowed: what librdkafka documents for them")
        }
    }

    /// The first line that gives the property; 1 when it cannot be found (a name written with escapes).
    private static func line(of name: String, in path: String) -> Int {
        let text =
            FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let place = lines.firstIndex { line in
            let content = line.prefix { $0 != "#" }
            return content.contains("\(name):") || content.contains("\(name)\":")
                || content.contains("\(name)':")
        }
        return (place ?? 0) + 1
    }

    private func examine(_ path: String) async -> Bool {
        do throws(LogError) {
            let reader = try LogReader(path: path)
            let problems = try await reader.problems()
            for problem in problems { Output.line("\(path): \(problem)") }
            let summary = try await reader.summary()
            Output.line("\(path): head \(summary.head), oldest \(summary.oldest ?? 0), log \(summary.logID)")
            return problems.isEmpty
        } catch {
            Output.line(error.description)
            return false
        }
    }

    /// Asks each side something harmless: an answer of any status shows that it is there.
    private func connect(_ settings: Settings) async -> Bool {
        let http = HTTPClient()
        defer { http.close() }
        var isReachable = true
        for account in settings.accounts {
            var request = OutboundRequest(
                .get, account.baseURL, timeout: account.timeout, maxResponseBytes: 4096)
            (request.caFile, request.proxy, request.overflow) = (account.caFile, account.proxy, .cut)
            isReachable = await answers("account \(account.name)", request, http) && isReachable
        }
        for webhook in settings.webhooks {
            var request = OutboundRequest(
                .options, webhook.url, timeout: webhook.timeout, maxResponseBytes: 4096)
            (request.caFile, request.proxy, request.overflow) = (webhook.tls.ca, webhook.proxy, .cut)
            (request.certificateFile, request.keyFile) = (webhook.tls.certificate, webhook.tls.key)
            request.allowsPrivateAddresses = settings.http?.allowPrivateEndpoints ?? false
            isReachable = await answers("webhook \(webhook.name)", request, http) && isReachable
        }
        if let kafka = settings.kafka { isReachable = answers(kafka) && isReachable }
        return isReachable
    }

    private func answers(_ what: String, _ request: OutboundRequest, _ http: HTTPClient) async -> Bool {
        do throws(OutboundError) {
            let response = try await http.send(request)
            Output.line("\(what): answers (HTTP status \(response.status))")
            return true
        } catch {
            Output.line("\(what): \(error.cause)")
            return false
        }
    }

    private func answers(_ kafka: Settings.Kafka) -> Bool {
        do throws(KafkaError) {
            var properties = kafka.properties.mapValues { $0.reveal() }
            properties["bootstrap.servers"] = kafka.brokers
            let producer = try KafkaProducer(properties: properties, logger: .silent)
            defer { producer.close() }
            let topics = try producer.topics(timeout: .seconds(10))
            Output.line("kafka: answers (\(topics.count) topics)")
            return true
        } catch {
            Output.line("kafka: \(error)")
            return false
        }
    }
}
