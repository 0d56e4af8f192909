import Foundation
import Testing
import VendorSimulator

/// What the relay refuses, with which exit code, and in which words.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct RefusalTests {
    private func relay(_ vendor: VendorSimulator) throws -> Relay {
        try Relay(RelayConfiguration(accounts: [.init(baseURL: vendor.baseURL)]))
    }

    // MARK: - One relay on a store

    @Test func aStoreInUseTurnsWritersAwayAndLetsReadersIn() async throws {
        let vendor = try VendorSimulator.started()
        defer { vendor.stop() }
        let relay = try relay(vendor)
        let process = try await relay.run()
        for writer in [["run"], ["poll", "visits"]] {
            let finished = try await Millrace.finished(try relay.start(writer))
            #expect(finished.exitCode == 75, "\(writer)")
            #expect(finished.output.isEmpty)
            let sentence = "another Millrace (process \(process.pid)) is using it"
            #expect(
                finished.errors.split(separator: "\n").last?.hasSuffix(sentence) == true, "\(finished.errors)"
            )
        }
        try await eventually("rows are in the log") { try await relay.events().count == 35 }
        for reader in [["events"], ["status"], ["status", "--json"], ["poll", "visits", "--dry-run"]] {
            let finished = try await Millrace.finished(try relay.start(reader))
            #expect(finished.exitCode == 0, "\(reader): \(finished.errors)")
            #expect(!finished.lines.isEmpty, "\(reader)")
        }
        #expect(process.result == nil)
        #expect(try await Relay.stop(process) == .exited(0))
        // The store is free again.
        #expect(try await relay.command("poll", "visits").exitCode == 0)
    }

    @Test func aDryRunShowsEventsWithoutASequenceAndStoresNothing() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let relay = try relay(vendor)
        let finished = try await relay.command("poll", "visits", "--dry-run")
        #expect(finished.exitCode == 0, "\(finished.errors)")
        let events = try finished.lines.map { try LogEvent(Array($0.utf8)) }
        #expect(events.map(\.id).sorted() == vendor.expectedIDs(account: "acme-tanma").sorted())
        #expect(events.allSatisfy { $0.offset == nil })
        #expect(finished.lines.allSatisfy { $0.contains(#""sequence":null"#) })
        #expect(!FileManager.default.fileExists(atPath: relay.storeFile))
    }

    @Test func aPollPrintsWhatItStoredAndNothingTheSecondTime() async throws {
        let vendor = try VendorSimulator.started { $0.rows = 0 }
        defer { vendor.stop() }
        let relay = try relay(vendor)
        let first = try await relay.command("poll", "visits")
        #expect(first.exitCode == 0, "\(first.errors)")
        #expect(try await relay.events().map { String(decoding: $0.bytes, as: UTF8.self) } == first.lines)
        #expect(first.lines.count == 5)
        let second = try await relay.command("poll", "visits")
        #expect(second.exitCode == 0)
        #expect(second.output.isEmpty)
        let mode =
            try FileManager.default.attributesOfItem(atPath: relay.storeFile)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    // MARK: - Another's store

    /// Where SQLite keeps two numbers of its user in the first page.
    private enum HeaderPlace: UInt64 {
        case userVersion = 60
        case applicationID = 68
    }

    @Test(arguments: [["run"], ["poll", "visits"], ["events"], ["status"]])
    func aStoreOfANewerFormatIsRefused(command: [String]) async throws {
        try await expectRefusal(command, place: .userVersion, words: "format 99")
    }

    @Test(arguments: [["run"], ["poll", "visits"], ["events"], ["status"]])
    func aDatabaseOfAnotherProgramIsRefused(command: [String]) async throws {
        try await expectRefusal(command, place: .applicationID, words: "another program")
    }

    private func expectRefusal(_ command: [String], place: HeaderPlace, words: String) async throws {
        let vendor = try VendorSimulator.started()
        defer { vendor.stop() }
        let relay = try relay(vendor)
        #expect(try await relay.command("poll", "visits").exitCode == 0)
        let url = URL(fileURLWithPath: relay.storeFile)
        let file = try FileHandle(forUpdating: url)
        try file.seek(toOffset: place.rawValue)
        try file.write(contentsOf: Data([0, 0, 0, 99]))
        try file.close()
        let before = try Data(contentsOf: url)
        let finished = try await Millrace.finished(try relay.start(command))
        #expect(finished.exitCode == 2, "\(finished.errors)")
        #expect(finished.output.isEmpty)
        #expect(finished.errors.contains(words), "\(finished.errors)")
        #expect(try Data(contentsOf: url) == before)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedAndStaysAsItIs() async throws {
        let relay = try Relay(RelayConfiguration(accounts: [.init(baseURL: "http://127.0.0.1:1")]))
        let url = URL(fileURLWithPath: relay.storeFile)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        let text = Data(String(repeating: "somebody's diary\n", count: 100).utf8)
        try text.write(to: url)
        let finished = try await relay.command("run")
        #expect(finished.exitCode == 2, "\(finished.errors)")
        #expect(finished.errors.contains("not a database"), "\(finished.errors)")
        #expect(try Data(contentsOf: url) == text)
    }

    // MARK: - Mistakes

    @Test(arguments: ["run", "check", "events", "status"])
    func everyProblemOfAConfigurationIsALineWithItsPlace(command: String) async throws {
        let relay = try Relay(RelayConfiguration(accounts: []))
        try relay.write(
            """
            relay: {name: acme, shutdwn: 10s}
            accounts:
              - name: acme-tanma
                vendor: tanma
                app_id: ww0123456789abcdef_Demo01
                app_key: ${NOT_SET_ANYWHERE}
            sources:
              - {name: visits, account: nobody, kind: tanma.visits, every: 3 parsecs}

            """)
        let finished = try await relay.command(command)
        #expect(finished.exitCode == 2)
        let said = (command == "check" ? finished.output : finished.errors).split(separator: "\n").map(
            String.init)
        for (line, key, word) in [
            (1, "relay.shutdwn", "shutdown"), (6, "accounts[0].app_key", "NOT_SET_ANYWHERE"),
            (8, "sources[0].every", "3 parsecs"), (8, "sources[0].account", "nobody"),
        ] {
            let problem = said.first { $0.hasPrefix("./millrace.yaml:\(line): \(key): ") }
            #expect(problem?.contains(word) == true, "\(key): \(said)")
        }
    }

    @Test(arguments: [
        ["fly"], ["run", "--fast"], ["events", "--after", "x"], ["events", "--after"], ["poll"],
        ["run", "now"], [],
    ])
    func anUnknownCommandOrOptionIsBadUsage(arguments: [String]) async throws {
        let finished = try await Millrace.run(arguments)
        #expect(finished.exitCode == 2)
        #expect(finished.output.isEmpty)
        #expect(!finished.errors.isEmpty)
    }

    @Test func aConfigurationThatIsNotThereIsBadUsage() async throws {
        let finished = try await Millrace.run(["run", "--config", "/nowhere/millrace.yaml"])
        #expect(finished.exitCode == 2)
        #expect(finished.errors.contains("/nowhere/millrace.yaml"))
    }

    // MARK: - A wrong key

    @Test func aWrongAppKeyStopsThatAccountWithOneLineAndNoOther() async throws {
        let vendor = try VendorSimulator.started { ($0.rate, $0.limit) = (20, 40) }
        defer { vendor.stop() }
        let relay = try Relay(
            RelayConfiguration(accounts: [
                .init(name: "wrong", baseURL: vendor.baseURL, appKey: "not-the-key", source: "wrong-visits"),
                .init(baseURL: vendor.baseURL),
            ]))
        let process = try await relay.run()
        try await eventually("the other account's rows are in the log") {
            try await relay.events().count == 75
        }
        #expect(try await Relay.stop(process) == .exited(0))
        let alarms = process.errors.texts.filter { $0.contains("ERROR") }
        #expect(alarms.count == 1, "\(alarms)")
        #expect(alarms.first?.contains("account stopped account=wrong ") == true)
        #expect(alarms.first?.contains("app_key") == true)
        #expect(!process.errors.text.contains("not-the-key"))
        #expect(vendor.statistics.signatureRefusals == 1)
        #expect(try await relay.events().allSatisfy { $0.source == "/acme/acme-tanma/tanma.visits" })
    }

    @Test func propertiesThatLibrdkafkaRefusesAreNamedWithTheirLines() async throws {
        let relay = try Relay(RelayConfiguration(accounts: [.init(baseURL: "http://127.0.0.1:1")]))
        try relay.write(
            """
            relay: {name: acme}
            kafka:
              brokers: localhost:9092
              properties:
                compression.type: fastest
                linger.msx: 5
            """)
        let finished = try await relay.command("check")
        #expect(finished.exitCode == 2)
        #expect(
            finished.lines == [
                "./millrace.yaml:5: kafka.properties.compression.type: librdkafka refuses its value, "
                    + "allowed: what librdkafka documents for it",
                "./millrace.yaml:6: kafka.properties.linger.msx: librdkafka knows no such property, "
                    + "allowed: what librdkafka documents for it",
            ])
    }
}
