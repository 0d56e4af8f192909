import BenchEnds
import EventModel
import Foundation
import Persisting
import Ports

/// Deliveries a second beside Debian's syslog-ng (syslog-ng-core, syslog-ng-mod-http) that posts the same bytes, one in a
/// request, to the same receiver, from a file whose position it remembers. It signs nothing and keeps no attempts.
///
/// Left out where syslog-ng is not installed: a machine's log service is nothing to install in passing.
struct SyslogBenchmark: Benchmark {
    static let name = "syslog-ng"
    private static let count = 40_000
    private static let program = "/usr/sbin/syslog-ng"

    func run(_ surroundings: Surroundings) async throws -> [Measure] {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            let text = "syslog-ng is not installed: its rows are left out\n"
            FileHandle.standardError.write(Data(text.utf8))
            return []
        }
        let lines = surroundings.file("lines")
        try Self.writeLines(lines)
        var measures: [Measure] = []
        for concurrency in [16, 64] {
            var (ours, theirs): ([Double], [Double]) = ([], [])
            for turn in 0..<3 {
                let folder = surroundings.file("syslog-\(concurrency)-\(turn)")
                theirs.append(try await syslog(folder, lines, concurrency))
                ours.append(
                    try await WebhookBenchmark.relay(folder + "/log.db", concurrency, Self.count))
            }
            measures.append(
                Measure(
                    name: "webhooks, \(concurrency) at once, against syslog-ng", ours: median(ours),
                    theirs: median(theirs), unit: "events/s", wanted: 1))
        }
        return measures + (try KafkaBenchmark.syslog(surroundings))
    }

    private static func writeLines(_ path: String) throws {
        var bytes: [UInt8] = []
        for number in 0..<count {
            guard case .event(let draft, _) = BenchRows.row(number) else {
                throw BenchFailure("no row")
            }
            bytes += draft.encoded(id: draft.id(revision: 1), revision: 1) + [UInt8(ascii: "\n")]
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    /// From the first request that has come: its start-up is not the question.
    private func syslog(_ folder: String, _ lines: String, _ concurrency: Int) async throws -> Double {
        let receiver = try Receiver()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let settings = Self.settings(lines, port: receiver.port, concurrency)
        try settings.write(toFile: folder + "/conf", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = [
            "--foreground", "--no-caps", "--cfgfile", folder + "/conf", "--persist-file",
            folder + "/persist", "--pidfile", folder + "/pid", "--control", folder + "/control",
        ]
        process.standardError = FileHandle.nullDevice
        try process.runHearing()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try await receiver.waits(until: 1)
        let first = receiver.count
        let took = try await seconds { try await receiver.waits(until: Self.count) }
        return Double(receiver.count - first) / took
    }

    private static func settings(_ lines: String, port: Int32, _ concurrency: Int) -> String {
        """
        @version: 3.35
        options { threaded(yes); keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); };
        source events {
            file("\(lines)" follow-freq(0.01) flags(no-parse) log-fetch-limit(2000) log-iw-size(200000)
                log-msg-size(65536));
        };
        destination receiver {
            http(url("http://127.0.0.1:\(port)/") method("POST") user-agent("Millrace/0.1.0")
                headers("content-type: application/cloudevents+json; charset=UTF-8",
                    "webhook-id: evt_01m343egs03ryjvqqt1k372cfh", "webhook-timestamp: 1790000000",
                    "webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
                    "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
                body("${MESSAGE}") workers(\(concurrency)) log-fifo-size(400000) timeout(15));
        };
        log { source(events); destination(receiver); flags(flow-control); };
        """
    }
}
