import Foundation
import Kafka
import OutboundHTTP
import TestSupport
import Testing
import VendorSimulator

/// The API as a stranger uses it. Real: the binary, its store, HTTP on loopback.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct APITests {
    private func configuration(_ vendor: VendorSimulator) throws -> RelayConfiguration {
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        configuration.httpPort = try APIClient.freePort()
        configuration.tokens = [("ops", "admin"), ("reader", "read")]
        return configuration
    }

    private func client(_ configuration: RelayConfiguration, _ name: String = "ops") -> APIClient {
        APIClient(port: configuration.httpPort ?? 0, token: RelayConfiguration.token(name))
    }

    /// Reads the feed until it has so many events, long polling at the head.
    private func read(_ api: APIClient, after: Int, until count: Int) async throws -> (
        ids: [String], next: Int
    ) {
        var (ids, next) = ([String](), after)
        while ids.count < count {
            let page = try await api.object("/v1/events?after=\(next)&limit=7&wait=10s")
            ids += (page["items"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            next = try (page["next_after"] as? Int).unwrapped("a page has no next_after")
        }
        return (ids, next)
    }

    @Test func aConsumerThatResumesAcrossRestartsEndsWithExactlyTheLog() async throws {
        let vendor = try VendorSimulator.started { ($0.rows, $0.rate, $0.limit) = (20, 10, 30) }
        defer { vendor.stop() }
        let configuration = try configuration(vendor)
        let relay = try Relay(configuration)
        let api = client(configuration)
        let first = try await relay.run()
        let before = try await read(api, after: 0, until: 10)
        // The consumer dies with the relay; what it had written down is `next`.
        first.signal(SIGKILL)
        _ = try await first.ended()
        let second = try await relay.run()
        let after = try await read(api, after: before.next, until: 55 - before.ids.count)
        try await eventually("all rows are in the log") { try await relay.events().count == 55 }
        #expect(try await Relay.stop(second) == .exited(0))
        // The file of a stopped relay is the whole store, also when the API read beside the writer.
        let left = try FileManager.default.contentsOfDirectory(atPath: relay.folder.file("data"))
        #expect(left.sorted() == ["millrace.db", "millrace.db.lock"])
        #expect(try await relay.events().map(\.id) == before.ids + after.ids)
    }

    @Test func theCommandsReadARunningRelay() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let configuration = try configuration(vendor)
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("all rows are in the log") { try await relay.events().count == 15 }
        let remote = ["--url", client(configuration).url, "--token", RelayConfiguration.token("reader")]
        let events = try await Millrace.run(["events", "--type", "visit.*", "--after", "3"] + remote)
        let local = try await relay.command("events", "--after", "3")
        #expect(events.exitCode == 0 && events.output == local.output, "\(events.errors)")
        let status = try await Millrace.run(["status", "--json"] + remote)
        let view = try JSONDecoder().decode(Status.self, from: Data(status.output.utf8))
        #expect(view.store.head == 15 && view.sources.first?.stored == 15)
        let refused = try await Millrace.run([
            "status", "--url", client(configuration).url, "--token", "wrong",
        ])
        #expect(refused.exitCode == 1 && refused.errors.contains("401 Unauthorized"))
        #expect(try await Relay.stop(process) == .exited(0))
    }

    @Test func metricsParseAndCountTheRows() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let receiver = try VerifyingReceiver()
        var configuration = try configuration(vendor)
        configuration.webhooks = [.init(url: receiver.url)]
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("all rows have arrived") { receiver.accepted.count == 15 }
        let anybody = APIClient(port: configuration.httpPort ?? 0)
        let text = String(decoding: try await anybody.ask(.get, "/metrics").body, as: UTF8.self)
        #expect(text.contains("millrace_source_rows_total{source=\"visits\",result=\"stored\"} 15\n"))
        #expect(text.contains("millrace_log_head_offset 15\n"))
        #expect(text.contains("millrace_source_requests_total{source=\"visits\",outcome=\"ok\"}"))
        #expect(text.contains("millrace_log_append_seconds_count"))
        #expect(text.contains(#"millrace_webhook_attempts_total{subscription="crm",outcome="delivered"} 15"#))
        #expect(text.contains(#"millrace_webhook_attempt_seconds_count{subscription="crm"} 15"#))
        #expect(text.contains(#"millrace_delivery_latency_seconds_count{sink="webhook/crm"} 15"#))
        #expect(text.contains(#"millrace_circuit_open{subscription="crm"}"#))
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("metrics")))
        let parsed = try await Millrace.finished(
            try ChildProcess(
                try Python.interpreter(), [Python.script("parse_metrics.py")], folder: Millrace.repository,
                input: folder.file("metrics")))
        #expect(parsed.exitCode == 0, "\(parsed.errors)")
        for name in ["process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"] {
            #expect(parsed.lines.contains(name))
        }
        for path in ["/healthz", "/readyz"] { #expect(try await anybody.ask(.get, path).status == 200) }
        #expect(try await Relay.stop(process) == .exited(0))
    }

    /// Every request that the description allows or forbids, as schemathesis makes them up. The stream has no end and is left out, and
    /// so is `wait`: a minute for each made-up long poll would be hours.
    @Test func theDescriptionIsTrue() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let configuration = try configuration(vendor)
        let relay = try Relay(configuration)
        let process = try await relay.run()
        let folder = try TemporaryFolder()
        try Data(try await descriptionWithoutWait(client(configuration)))
            .write(to: URL(fileURLWithPath: folder.file("openapi.json")))
        let finished = try await Millrace.finished(
            try ChildProcess(
                try Python.interpreter(),
                [
                    "-m", "schemathesis.cli", "run", folder.file("openapi.json"), "--url",
                    client(configuration).url,
                    "--header", "Authorization: Bearer \(RelayConfiguration.token("ops"))", "--checks", "all",
                    "--max-examples", "10", "--seed", "1", "--request-timeout", "30", "--no-color",
                    "--exclude-path", "/v1/events/stream",
                ], folder: folder.path), within: .seconds(120))
        #expect(finished.exitCode == 0, "\(finished.output.suffix(4000)) \(finished.errors.suffix(500))")
        #expect(try await Relay.stop(process) == .exited(0))
    }

    private func descriptionWithoutWait(_ api: APIClient) async throws -> [UInt8] {
        let text = String(decoding: try await api.ask(.get, "/openapi.json").body, as: UTF8.self)
        let reference = ##"{"$ref":"#/components/parameters/wait"}"##
        guard text.contains(reference) else { throw Failure("the description has no wait") }
        return Array(
            text.replacing("," + reference, with: "").replacing(reference + ",", with: "").utf8)
    }

    @Test func aHangupTakesTheFileOverAndABadFileChangesNothing() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        var configuration = try configuration(vendor)
        let relay = try Relay(configuration)
        let process = try await relay.run()
        let api = client(configuration)
        try await eventually("all rows are in the log") { try await relay.events().count == 15 }

        try relay.write("relay: {name: other\n")
        process.signal(SIGHUP)
        try await eventually("it was refused") { process.errors.text.contains("was not taken over") }
        #expect(try await api.ask(.get, "/v1/sources").status == 200)

        let old = configuration
        configuration.overlap = "45s"
        configuration.tokens = [("ops", "admin"), ("second", "read")]
        try relay.write(configuration.yaml)
        process.signal(SIGHUP)
        try await eventually("it was taken over") { process.errors.text.contains("configuration read again") }
        #expect(try await client(configuration, "second").ask(.get, "/v1/events").status == 200)
        #expect(try await client(old, "reader").ask(.get, "/v1/events").status == 401)
        // Polling goes on where it was: the same rows again, no event twice.
        let served = vendor.statistics.rowsServed
        try await eventually("polling goes on") { vendor.statistics.rowsServed > served }
        #expect(try await relay.events().count == 15)

        configuration.store = "sqlite:./data/other.db"
        try relay.write(configuration.yaml)
        process.signal(SIGHUP)
        try await eventually("it needs a restart") { process.errors.text.contains("store: needs a restart") }
        #expect(try await Relay.stop(process) == .exited(0))
    }

    @Test func aReplayByCommandReachesTheReceiverAndKafkaAgainUnderTheSameIDs() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let (receiver, kafka) = (try VerifyingReceiver(), try KafkaEnd())
        var configuration = try configuration(vendor)
        configuration.webhooks = [.init(url: receiver.url)]
        configuration.kafkaBrokers = kafka.brokers
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("everything has arrived") {
            receiver.accepted.count == 15 && kafka.byID.count == 15
        }
        // Where the relay is and what its token is, the configuration says.
        let again = try await relay.command("replay", "--to", "crm", "--from", "6", "--until", "11")
        #expect(again.exitCode == 0 && again.output.contains(#""delivered":5,"#), "\(again.errors)")
        let marked = receiver.deliveries.filter { $0.headers.contains { $0.name == "millrace-replay" } }
        #expect(
            marked.count == 5 && marked.allSatisfy { $0.isSigned && receiver.accepted[$0.id]?.count == 2 })

        let into = try await relay.command(
            "replay", "--to", "kafka", "--from", "beginning", "--type", "visit.*", within: .seconds(60))
        #expect(into.exitCode == 0 && into.output.contains(#""delivered":15,"#), "\(into.errors)")
        try await eventually("every record came twice") {
            kafka.byID.values.allSatisfy { records in
                records.count == 2
                    && records.count { $0.headers.contains { $0.name == "millrace-replay" } } == 1
            }
        }
        let unknown = try await relay.command("replay", "--to", "nobody", "--from", "1")
        #expect(unknown.exitCode == 1 && unknown.errors.contains("404 Not found: to:"))
        try await relay.expectSound()
        #expect(try await Relay.stop(process) == .exited(0))
    }

    @Test func aHangupTakesOverWebhooksAndTheirPositions() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 10 }
        defer { vendor.stop() }
        let (first, second) = (try VerifyingReceiver(), try VerifyingReceiver())
        var configuration = try configuration(vendor)
        configuration.webhooks = [.init(url: first.url)]
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("the first has all") { first.accepted.count == 15 }
        configuration.webhooks.append(.init(name: "second", url: second.url))
        try relay.write(configuration.yaml)
        process.signal(SIGHUP)
        try await eventually("the new one has all") { second.accepted.count == 15 }
        configuration.webhooks.removeFirst()
        try relay.write(configuration.yaml)
        process.signal(SIGHUP)
        try await eventually("the one that left is paused") {
            try await relay.status().sink("webhook/crm").state == "paused"
        }
        #expect(first.deliveries.count == 15 && second.deliveries.count == 15)
        #expect(try await Relay.stop(process) == .exited(0))
    }
}
