import Configuration
import EventModel
import Foundation
import InboundHTTP
import Kafka
import Persisting
import Services
import Signing
import VendorSimulator

/// The whole chain in one process, from a vendor with bad days to both ends, and the proof that nothing was lost.
///
///     VendorSimulator ──HTTP──▶ the relay ──▶ mock Kafka cluster ──▶ KafkaReader ──┐
///                                   └───────▶ webhook ──HTTP──▶ verifying receiver ─┴──▶ arrivals ──▶ the table
struct Demo {
    let seconds: Int
    let rate: Double
    let seed: UInt64
    let isCalm: Bool
    let signals: Signals

    private let timekeeper = SystemTimekeeper()
    /// Visits that have happened before the demo begins.
    private static let historicRows = 40
    private static let partitions = 6
    /// After the last visit, how long everything may take to arrive.
    private static let patience: Duration = .seconds(60)

    /// True when every event arrived at both ends exactly once and every visit is among them.
    func run() async throws -> Bool {
        let folder = try Self.makeFolder()
        defer { Self.remove(folder) }
        let simulator = try VendorSimulator(simulatorOptions, now: { [timekeeper] in timekeeper.now })
        defer { simulator.stop() }
        let cluster = try KafkaMockCluster(brokers: 1)
        try cluster.createTopic("millrace.visit", partitions: Self.partitions)
        // The mock answers no admin request: the relay would wait for that.
        try cluster.createTopic("millrace.operations", partitions: 1)
        let secret = "whsec_" + Data(secureRandomBytes(32)).base64EncodedString()
        let arrivals = Arrivals(timekeeper)
        let receiver = try DemoReceiver(secret: secret, arrivals: arrivals)
        defer { receiver.stop() }
        let reader = try KafkaReader(
            brokers: cluster.brokers, topics: ["millrace.visit": Self.partitions], logger: .silent
        ) { arrivals.inKafka($0) }
        defer { reader.close() }
        let settings = settings(
            folder: folder, vendor: simulator.baseURL, brokers: cluster.brokers, webhook: receiver.url,
            secret: secret)
        Output.line("vendor \(simulator.baseURL)   Kafka \(cluster.brokers)   webhook \(receiver.url)")
        let assembly = try Assembly(
            settings, timekeeper: timekeeper, logger: Logger(level: .warning, format: .text))
        let group = ServiceGroup(
            try assembly.running().services, deadline: settings.relay.shutdown,
            logger: Logger(level: .warning, format: .text))
        let expected = Expectation(simulator: simulator, relay: settings.relay.name, account: Self.account)
        _ = try await group.run { await waitUntilAllArrived(expected, assembly.log, arrivals) }
        let summary = DemoSummary(
            expected: expected.ids(at: timekeeper.now), served: simulator.statistics.rowsServed,
            sources: try await assembly.log.sources(), head: assembly.log.head, arrivals: arrivals)
        Output.line(summary.text)
        return summary.isComplete
    }

    private static let account = "demo-tanma"

    /// Nothing more happens after the given seconds; then every visit must be in the log and the log at both ends.
    private func waitUntilAllArrived(_ expected: Expectation, _ log: EventLog, _ arrivals: Arrivals) async {
        let end = timekeeper.elapsed + .seconds(seconds)
        let patience = end + Self.patience
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signals.wait() }
            group.addTask {
                while timekeeper.elapsed < patience, !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
                    if timekeeper.elapsed < end { continue }
                    let ids = expected.ids(at: timekeeper.now)
                    if arrivals.hold(ids), arrivals.hold(count: log.head) { return }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private var simulatorOptions: SimulatorOptions {
        var options = SimulatorOptions()
        (options.seed, options.rate, options.rows) = (seed, rate, Self.historicRows)
        options.spread = .seconds(300)
        options.limit = Int(Double(seconds) * rate)
        options.late = 0.1
        options.revise = 0.5
        if !isCalm {
            options.faults.shares = [.status500: 0.04, .code: 0.04, .drop: 0.04, .malformedRow: 0.04]
        }
        return options
    }

    private func settings(
        folder: String, vendor: String, brokers: String, webhook: String, secret: String
    ) -> Settings {
        var settings = Settings()
        settings.relay.name = "demo"
        settings.relay.shutdown = .seconds(10)
        settings.store.path = folder + "/millrace.db"
        var account = Settings.Account()
        (account.name, account.baseURL) = (Self.account, vendor)
        (account.appID, account.appKey) = (simulatorOptions.appID, Secret(simulatorOptions.appKey))
        account.requestsPerSecond = 20
        settings.accounts = [account]
        var source = Settings.Source()
        (source.name, source.account, source.kind) = ("visits", Self.account, .visits)
        (source.every, source.lag, source.overlap) = (.milliseconds(500), .seconds(1), .seconds(120))
        // Before the vendor's own sample rows, which are the first the simulator has.
        source.start = Timestamp(rfc3339: "2021-08-01T00:00:00+08:00")
        settings.sources = [source]
        var kafka = Settings.Kafka()
        kafka.brokers = brokers
        kafka.delivery = .atLeastOnce
        kafka.events = [NamePattern("*")].compactMap { $0 }
        settings.kafka = kafka
        var hook = Settings.Webhook()
        (hook.name, hook.url, hook.from) = ("demo", webhook, .beginning)
        (hook.secrets, hook.events) = ([Secret(secret)], kafka.events)
        settings.webhooks = [hook]
        var http = Settings.HTTP()
        http.allowPrivateEndpoints = true
        settings.http = http
        return settings
    }

    private static func makeFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "millrace-demo-" + secureRandomBytes(6).hexadecimal
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder
    }

    private static func remove(_ folder: String) {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            Terminal.say("demo: \(folder) could not be removed: \(error.localizedDescription)")
        }
    }
}

/// The visits that have happened at the simulated vendor, as the ids their first revision must have.
struct Expectation: Sendable {
    let simulator: VendorSimulator
    let relay: String
    let account: String

    func ids(at time: Timestamp) -> Set<String> {
        Set(
            simulator.truth(at: time).compactMap { row in
                guard let time = Timestamp(chinaText: row.visit.visitTime) else { return nil }
                let draft = EventDraft(
                    relay: relay, account: account, kind: .visits, identity: row.visit.identity, time: time,
                    subject: "",
                    data: [])
                return draft.id(revision: 1).text
            })
    }
}
