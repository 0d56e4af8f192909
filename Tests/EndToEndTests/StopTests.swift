import Foundation
import TestSupport
import Testing
import VendorSimulator

/// SIGTERM and SIGINT end the relay with 0, and within its deadline whatever the other sides do.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct StopTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalEndsAnIdleRelay(signal: Int32) async throws {
        let vendor = try VendorSimulator.started()
        defer { vendor.stop() }
        let relay = try Relay(RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)]))
        let process = try await relay.run()
        process.signal(signal)
        #expect(try await process.ended(within: .seconds(5)) == .exited(0))
        #expect(process.errors.text.contains("relay stopped"))
        #expect(process.output.text.isEmpty)
        // The file of a stopped relay is the whole store: nothing is left beside it but the lock.
        let left = try FileManager.default.contentsOfDirectory(atPath: relay.folder.file("data"))
        #expect(left.sorted() == ["millrace.db", "millrace.db.lock"])
    }

    /// Nobody answers: neither the receiver, which keeps the connection open, nor the brokers, which are not there, nor
    /// in the end the vendor. What was not delivered is delivered after the next start.
    @Test func whatHangsIsLeftAtTheDeadlineAndDeliveredLater() async throws {
        let vendor = try VendorSimulator.started()
        defer { vendor.stop() }
        let hanging = try VerifyingReceiver { _ in nil }
        var configuration = RelayConfiguration(
            accounts: [.init(baseURL: vendor.baseURL)], webhooks: [.init(url: hanging.url, timeout: "60s")])
        configuration.kafkaBrokers = "127.0.0.1:1"
        configuration.shutdown = "2s"
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("deliveries hang") { !hanging.deliveries.isEmpty }
        #expect(try await Relay.stop(process) == .exited(0))
        #expect(process.errors.text.contains("relay stopped at its deadline"))

        let receiver = try VerifyingReceiver()
        let kafka = try KafkaEnd()
        configuration.webhooks = [.init(url: receiver.url)]
        configuration.kafkaBrokers = kafka.brokers
        try relay.write(configuration.yaml)
        let again = try await relay.run()
        try await eventually("both ends have all") { receiver.accepted.count == 35 && kafka.byID.count == 35 }
        #expect(try await Relay.stop(again) == .exited(0))
    }

    @Test func theVendorMayHangToo() async throws {
        let vendor = try VendorSimulator.started {
            ($0.faults.shares, $0.faults.slowDelay) = ([.slow: 1], .seconds(30))
        }
        defer { vendor.stop() }
        var configuration = RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)])
        configuration.shutdown = "1s"
        let relay = try Relay(configuration)
        let process = try await relay.run()
        try await eventually("a request hangs") { !vendor.statistics.requests.isEmpty }
        #expect(try await Relay.stop(process, within: .seconds(25)) == .exited(0))
    }

    /// A deadline that has not passed is used: what is under way when the signal comes is finished.
    @Test func aSlowReceiverIsWaitedFor() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let receiver = try VerifyingReceiver(delay: .seconds(1))
        let relay = try Relay(
            RelayConfiguration(
                accounts: [.init(baseURL: vendor.baseURL)], webhooks: [.init(url: receiver.url)]))
        let process = try await relay.run()
        try await eventually("all deliveries are under way") { receiver.deliveries.count == 5 }
        #expect(try await Relay.stop(process) == .exited(0))
        let sink = try await relay.status().sink("webhook/crm")
        #expect(sink.delivered == 5 && sink.backlog == 0, "\(sink)")
    }
}
